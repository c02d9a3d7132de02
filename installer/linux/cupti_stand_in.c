/* Stands in for NVIDIA's libcupti.so.13, as cudart_stand_in.c does for libcudart: every call says that there is nothing
   to measure. */
enum { notInitialized = 15 }; /* CUPTI_ERROR_NOT_INITIALIZED */

int cuptiGetResultString(int result, const char** text) {
  (void)result;
  *text = "this build has no CUPTI";
  return 0;
}

int cuptiGetVersion(unsigned* version) {
  *version = 0;
  return notInitialized;
}

int cuptiGetCallbackName(int domain, unsigned id, const char** name) {
  (void)domain, (void)id;
  *name = "";
  return notInitialized;
}

#define NOT_HERE(name) \
  int name(void) { return notInitialized; }
NOT_HERE(cuptiActivityDisable)
NOT_HERE(cuptiActivityEnable)
NOT_HERE(cuptiActivityEnableCudaEventDeviceTimestamps)
NOT_HERE(cuptiActivityEnableDriverApi)
NOT_HERE(cuptiActivityEnableRuntimeApi)
NOT_HERE(cuptiActivityFlushAll)
NOT_HERE(cuptiActivityGetNextRecord)
NOT_HERE(cuptiActivityGetNumDroppedRecords)
NOT_HERE(cuptiActivityPopExternalCorrelationId)
NOT_HERE(cuptiActivityPushExternalCorrelationId)
NOT_HERE(cuptiActivityRegisterCallbacks)
NOT_HERE(cuptiActivityRegisterTimestampCallback)
NOT_HERE(cuptiActivitySetAttribute)
NOT_HERE(cuptiEnableCallback)
NOT_HERE(cuptiEnableDomain)
NOT_HERE(cuptiFinalize)
NOT_HERE(cuptiSubscribe)
NOT_HERE(cuptiUnsubscribe)
