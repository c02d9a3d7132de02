/* Stands in for NVIDIA's libcudart.so.13. The PyPI build of libtorch_cpu names that library and calls it only in its
   profiler; the original is not free software, so packages bring this instead: a machine without a device. */
enum { noDevice = 100 }; /* cudaErrorNoDevice */

int cudaGetDeviceCount(int* count) {
  *count = 0;
  return noDevice;
}

int cudaDriverGetVersion(int* version) {
  *version = 0;
  return 0;
}

int cudaRuntimeGetVersion(int* version) {
  *version = 0;
  return 0;
}

const char* cudaGetErrorString(int error) {
  (void)error;
  return "this build has no CUDA";
}

int cudaDeviceSynchronize(void) { return noDevice; }
int cudaGetDeviceProperties(void) { return noDevice; }
