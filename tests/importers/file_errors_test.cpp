#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "importers/importer.h"
#include "tests/importers/hand_made.h"

namespace kvasir {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string refusal(const std::filesystem::path& file) {
  try {
    importFile(file);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "was imported";
}

class FileErrors : public testing::Test {
 protected:
  Folder folder_{"errors"};
};

TEST_F(FileErrors, NameTheFileButNotItsFolder) {
  EXPECT_THAT(refusal(folder_.path() / "gone.pdf"),
              AllOf(HasSubstr("gone.pdf does not exist"), Not(HasSubstr("/"))));
}

TEST_F(FileErrors, SayThatAFolderIsOne) { EXPECT_THAT(refusal(folder_.path()), HasSubstr("is a folder")); }

TEST_F(FileErrors, SayThatAFileIsEmpty) {
  EXPECT_THAT(refusal(folder_.write("void.txt", "")), HasSubstr("is empty"));
}

TEST_F(FileErrors, SayThatAFileIsBlank) {
  EXPECT_THAT(refusal(folder_.write("blank.txt", " \n\n")), HasSubstr("is blank"));
}

TEST_F(FileErrors, SayThatAFileCannotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "the administrator may read everything";
  const auto file = folder_.write("secret.txt", "text");
  std::filesystem::permissions(file, std::filesystem::perms::none);
  EXPECT_THAT(refusal(file), HasSubstr("cannot be read"));
}

TEST_F(FileErrors, SayThatAProgramIsNoText) {
  EXPECT_THAT(refusal(folder_.write("tool.txt", std::string("\x7F"
                                                            "ELF\0\0\1\2\3\4",
                                                            10))),
              HasSubstr("is not text"));
}

TEST_F(FileErrors, SayThatRichTextIsNotRead) {
  for (const char* name : {"letter.rtf", "letter.txt", "letter.md"})
    EXPECT_THAT(refusal(folder_.write(name, "{\\rtf1\\ansi Dear reader}")),
                HasSubstr("(RTF), which is not read here"));
}

TEST_F(FileErrors, SayWhichFormatsAreKnown) {
  EXPECT_THAT(refusal(folder_.write("image.png", std::string("\x89PNG\0\0\1\2\3\4", 10))),
              HasSubstr("PDF, EPUB"));
}

TEST_F(FileErrors, SayThatAFileNamedPdfIsNone) {
  EXPECT_THAT(refusal(folder_.write("fake.pdf", std::string("\0\1\2\3 no pdf", 11))),
              HasSubstr("fake.pdf is damaged"));
}

TEST_F(FileErrors, DoNotComeFromAWrongSuffix) {
  EXPECT_EQ(importFile(folder_.write("book.txt", pdfWithLines({{{72, 700, "Hello"}}}))).format, "pdf");
}

TEST(Importers, AreDistinctRows) {
  for (const Importer& importer : importers()) {
    EXPECT_FALSE(importer.suffixes.empty());
    EXPECT_NE(importer.recognises, nullptr);
    EXPECT_NE(importer.import, nullptr);
  }
  EXPECT_EQ(importers().size(), 5u);
}

}  // namespace
}  // namespace kvasir
