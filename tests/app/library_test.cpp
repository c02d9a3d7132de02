#include "app/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "app/sqlite.h"
#include "tests/app/sample_document.h"
#include "tests/app/scratch.h"

#ifndef _WIN32
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

Listener nobody;

FileStamp stamp(const std::string& path = "/books/sample.pdf", std::int64_t modified = 1) {
  return {path, 10, modified};
}

DocumentRecord addTo(Library& library, const Document& document, const FileStamp& file = stamp()) {
  return library.add(document, file, "hash of " + file.path + std::to_string(file.modified), 0.5, nobody);
}

struct LibraryTest : testing::Test {
  Scratch scratch;
  fs::path folder = scratch.folder() / "library";
};

void expectNear(const Box& stored, const Box& given) {
  constexpr float kPrecision = 1.0F / 64 + 1e-4F;
  EXPECT_NEAR(stored.left, given.left, kPrecision);
  EXPECT_NEAR(stored.top, given.top, kPrecision);
  EXPECT_NEAR(stored.right, given.right, kPrecision);
  EXPECT_NEAR(stored.bottom, given.bottom, kPrecision);
}

void expectSame(const std::vector<Word>& stored, const std::vector<Word>& given) {
  ASSERT_EQ(stored.size(), given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    EXPECT_EQ(stored[i].start, given[i].start);
    EXPECT_EQ(stored[i].end, given[i].end);
    EXPECT_EQ(stored[i].page, given[i].page);
    expectNear(stored[i].box, given[i].box);
    ASSERT_EQ(stored[i].characters.size(), given[i].characters.size());
    for (std::size_t c = 0; c < given[i].characters.size(); ++c) {
      expectNear(stored[i].characters[c], given[i].characters[c]);
    }
  }
}

TEST_F(LibraryTest, GivesBackTheWholeDocument) {
  Document given = sampleDocument(5);
  given.anchors = {{0, "one.xhtml#/4/2"}, {70, "two.xhtml#/4/12"}};
  const std::string id = addTo(*std::make_unique<Library>(folder), given).id;

  Library library(folder);
  const Document stored = library.load(id);
  EXPECT_EQ(stored.title, given.title);
  EXPECT_EQ(stored.language, given.language);
  EXPECT_EQ(stored.format, given.format);
  EXPECT_EQ(stored.text, given.text);
  expectSame(stored.words, given.words);
  ASSERT_EQ(stored.pages.size(), 5u);
  EXPECT_EQ(stored.pages[1].label, "ii");
  EXPECT_EQ(stored.pages[4].end, given.text.size());
  EXPECT_FLOAT_EQ(stored.pages[4].height, 841.89F);
  ASSERT_EQ(stored.sections.size(), 3u);
  EXPECT_EQ(stored.sections[2].title, "Chapter 1");
  EXPECT_EQ(stored.sections[2].level, 2);
  ASSERT_EQ(stored.anchors.size(), 2u);
  EXPECT_EQ(stored.anchors[1].location, "two.xhtml#/4/12");
}

TEST_F(LibraryTest, GivesTheWordsOfOnePage) {
  const Document given = sampleDocument(3);
  Library library(folder);
  const std::string id = addTo(library, given).id;
  expectSame(library.words(id, 1), {given.words.begin() + 40, given.words.begin() + 80});
  EXPECT_TRUE(library.loadWithoutWords(id).words.empty());
}

TEST_F(LibraryTest, KeepsTheOrderOfWordsWhosePagesAreMixed) {
  Document given = sampleDocument(2, 2);
  std::swap(given.words[1].page, given.words[2].page);
  Library library(folder);
  expectSame(library.load(addTo(library, given).id).words, given.words);
}

TEST_F(LibraryTest, KeepsTextWithZeroBytesAndAnEmptyOne) {
  Document given;
  given.format = "text";
  given.text = std::string("a\0b", 3);
  Library library(folder);
  EXPECT_EQ(library.load(addTo(library, given).id).text, given.text);
  given.text.clear();
  EXPECT_EQ(library.load(addTo(library, given, stamp("/books/empty.txt")).id).text, "");
}

TEST_F(LibraryTest, KeepsTheIdOfTheSameContentAndItsReadings) {
  Library library(folder);
  Document document = sampleDocument(2);
  const std::string id = addTo(library, document).id;
  EXPECT_EQ(id.size(), 12u);
  library.recordReading({id, "key", "model", "full", 5, 5, 1, 10, 1.5, true});
  document.title = "Found since";
  document.words.pop_back();
  EXPECT_EQ(addTo(library, document, stamp("/elsewhere/copy.pdf")).id, id);
  ASSERT_EQ(library.list().size(), 1u);
  EXPECT_EQ(library.list()[0].title, "Found since");
  EXPECT_EQ(library.load(id).words.size(), document.words.size());
  EXPECT_EQ(library.readings(id).size(), 1u);
  EXPECT_TRUE(library.findPath("/elsewhere/copy.pdf"));
  EXPECT_TRUE(library.findPath("/books/sample.pdf"));
}

// As another cover makes it: its pages would be cited wrongly.
TEST_F(LibraryTest, MakesADocumentOfItsOwnOfTheSameTextOnOtherPages) {
  Library library(folder);
  Document document = sampleDocument(2);
  const std::string id = addTo(library, document).id;
  document.pages.insert(document.pages.begin(), {"cover", 600, 800, 0, 0});
  for (Word& word : document.words) ++word.page;
  const std::string other = addTo(library, document, stamp("/books/covered.pdf")).id;
  EXPECT_NE(other, id);
  EXPECT_EQ(library.load(id).pages.size(), 2u);
  EXPECT_EQ(library.findPath("/books/sample.pdf")->id, id);
  EXPECT_EQ(addTo(library, document, stamp("/books/covered.pdf", 2)).id, other);
  EXPECT_EQ(addTo(library, sampleDocument(2)).id, id);
}

TEST_F(LibraryTest, MakesANewDocumentOfAFileThatChanged) {
  Library library(folder);
  const std::string before = addTo(library, sampleDocument(2)).id;
  const std::string after = addTo(library, sampleDocument(3), stamp("/books/sample.pdf", 2)).id;
  EXPECT_NE(before, after);
  EXPECT_EQ(library.findPath("/books/sample.pdf")->id, after);
  EXPECT_EQ(library.list().size(), 2u);
}

TEST_F(LibraryTest, FindsFilesByStampAndByContent) {
  Library library(folder);
  const std::string id = addTo(library, sampleDocument(1)).id;
  EXPECT_EQ(library.findUnchanged(stamp())->id, id);
  EXPECT_FALSE(library.findUnchanged(stamp("/books/sample.pdf", 2)));
  EXPECT_EQ(library.findContent("hash of /books/sample.pdf1")->id, id);
  EXPECT_FALSE(library.findContent("another hash"));
}

TEST_F(LibraryTest, FindsAnIdByItsBeginning) {
  Library library(folder);
  const std::string id = addTo(library, sampleDocument(1)).id;
  EXPECT_EQ(library.find(id)->id, id);
  EXPECT_EQ(library.find(id.substr(0, 4))->id, id);
  EXPECT_FALSE(library.find(id.substr(0, 3)));
  EXPECT_FALSE(library.find("%"));
  EXPECT_FALSE(library.find("____________"));
}

TEST_F(LibraryTest, SaysWhenABeginningIsNotEnough) {
  Library library(folder);
  {
    Database database(folder / "library.sqlite");
    for (const char* id : {"abcd00000001", "abcd00000002"}) {
      database.prepare("INSERT INTO documents VALUES (?1, ?1, '', '', 'text', '', 0)").bind(id).finish();
    }
  }
  EXPECT_THAT(sentenceOf([&] { library.find("abcd"); }), HasSubstr("Several documents begin with abcd"));
}

TEST_F(LibraryTest, LengthensAnIdThatAnotherContentHas) {
  Library library(folder);
  const Document document = sampleDocument(1);
  const std::string id = addTo(library, document).id;
  library.remove(id);
  Database(folder / "library.sqlite")
      .prepare("INSERT INTO documents VALUES (?1, 'another hash', '', '', 'text', '', 0)")
      .bind(id)
      .finish();
  const std::string longer = addTo(library, document).id;
  EXPECT_EQ(longer.size(), 13u);
  EXPECT_EQ(longer.substr(0, 12), id);
}

TEST_F(LibraryTest, RemovesADocumentWithItsChunkFiles) {
  Library library(folder);
  const std::string id = addTo(library, sampleDocument(2)).id;
  const std::string other = addTo(library, sampleDocument(3), stamp("/books/other.pdf")).id;
  library.recordReading({id, "key", "model", "full", 5, 5, 1, 10, 1.5, true});
  for (const auto& file : {library.readingFile(id, "key"), library.readingFile(other, "key")})
    std::ofstream(file) << "KV";
  library.remove(id);
  EXPECT_FALSE(library.find(id));
  EXPECT_FALSE(library.findPath("/books/sample.pdf"));
  EXPECT_FALSE(fs::exists(library.readingFile(id, "key")));
  EXPECT_TRUE(fs::exists(library.readingFile(other, "key")));
  EXPECT_TRUE(library.find(other));
  EXPECT_THAT(sentenceOf([&] { library.load(id); }), HasSubstr("no document " + id));
}

TEST_F(LibraryTest, NamesChunkFilesByDocumentAndKey) {
  Library library(folder);
  const fs::path file = library.readingFile("0123456789ab", "a key");
  EXPECT_EQ(file.parent_path(), folder / "readings");
  EXPECT_THAT(file.filename().string(), testing::MatchesRegex("0123456789ab-[0-9a-f]+\\.kv"));
  EXPECT_NE(file, library.readingFile("0123456789ab", "another key"));
}

TEST_F(LibraryTest, LetsOneWriteAReadingAtATime) {
  Library library(folder);
  const std::string id = addTo(library, sampleDocument(1)).id;
  library.recordReading({id, "key", "model", "full", 0, 0, 0, 0, 0, false});
  {
    const FileLock lock = library.lockReading(id, "key");
    Library other(folder);
    EXPECT_THAT(sentenceOf([&] { other.lockReading(id, "key"); }),
                HasSubstr("Another Kvasir is reading this document"));
    EXPECT_THAT(sentenceOf([&] { other.remove(id); }), HasSubstr("Another Kvasir"));
    EXPECT_EQ(sentenceOf([&] { other.lockReading(id, "another key"); }), "");
  }
  EXPECT_EQ(sentenceOf([&] { library.lockReading(id, "key"); }), "");
  EXPECT_TRUE(fs::is_empty(folder / "readings"));
}

TEST_F(LibraryTest, AddsNothingWhenStopped) {
  struct Stopping : Listener {
    int calls = 0;
    void progress(const Progress&) override {
      if (++calls == 2) throw Cancelled();
    }
  } stopping;
  Library library(folder);
  EXPECT_THROW(library.add(sampleDocument(4), stamp(), "hash", 0, stopping), Cancelled);
  EXPECT_TRUE(library.list().empty());
  addTo(library, sampleDocument(4));
  EXPECT_EQ(library.list().size(), 1u);
}

TEST_F(LibraryTest, AddsNothingOfADocumentThatIsWrong) {
  Document document = sampleDocument(2);
  document.words.back().page = 7;
  Library library(folder);
  EXPECT_NE(sentenceOf([&] { addTo(library, document); }), "");
  EXPECT_TRUE(library.list().empty());
}

TEST_F(LibraryTest, TakesAdditionsFromSeveralAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Library library(folder);
      for (int i = 0; i < 5; ++i) {
        const std::string name = std::to_string(t) + "-" + std::to_string(i);
        Document document = sampleDocument(2);
        document.text += name;
        addTo(library, document, stamp("/books/" + name));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Library(folder).list().size(), 20u);
}

TEST_F(LibraryTest, SaysWhenItsFileIsDamagedAndLeavesIt) {
  fs::create_directories(folder);
  const std::string junk(5000, 'x');
  std::ofstream(folder / "library.sqlite") << junk;
  EXPECT_THAT(sentenceOf([&] { Library library(folder); }),
              testing::AllOf(HasSubstr("is damaged"), HasSubstr("nothing was changed")));
  EXPECT_EQ(bytesOf(folder / "library.sqlite"), junk);
}

TEST_F(LibraryTest, SaysWhenBoxesAreDamaged) {
  Library library(folder);
  const std::string id = addTo(library, sampleDocument(1)).id;
  Database(folder / "library.sqlite").prepare("UPDATE words SET packed = ?1").bind(Blob{"\1junkjunk"}).finish();
  EXPECT_THAT(sentenceOf([&] { library.load(id); }), HasSubstr("is damaged"));
  EXPECT_FALSE(library.loadWithoutWords(id).text.empty());
}

TEST_F(LibraryTest, LeavesALaterVersionAlone) {
  { Library library(folder); }
  Database(folder / "library.sqlite").run("PRAGMA user_version = 99");
  EXPECT_THAT(sentenceOf([&] { Library library(folder); }), HasSubstr("later version of Kvasir"));
}

TEST_F(LibraryTest, SaysWhenItsFolderCannotBeMade) {
  std::ofstream(folder) << "a file";
  EXPECT_THAT(sentenceOf([&] { Library library(folder); }), HasSubstr("--library"));
}

#ifndef _WIN32
/// Runs in a process of its own that the system kills once a file it writes grows to `mostBytes`.
template <class Work>
int signalAfterWriting(rlim_t mostBytes, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit = {mostBytes, mostBytes};
    const rlimit noCore = {0, 0};
    setrlimit(RLIMIT_CORE, &noCore);
    setrlimit(RLIMIT_FSIZE, &limit);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(LibraryTest, IsWholeAfterACrashInTheMiddleOfAdding) {
  const Document small = sampleDocument(2), large = sampleDocument(300, 200);
  const std::string id = addTo(*std::make_unique<Library>(folder), small).id;
  for (const rlim_t kilobytes : {120, 200, 300}) {
    const int signal = signalAfterWriting(kilobytes * 1024, [&] {
      Library library(folder);
      addTo(library, large, stamp("/books/large.pdf"));
    });
    EXPECT_EQ(signal, SIGXFSZ) << kilobytes;
    Library library(folder);
    ASSERT_EQ(library.list().size(), 1u) << kilobytes;
    EXPECT_EQ(library.load(id).text, small.text);
  }
  Library library(folder);
  const std::string added = addTo(library, large, stamp("/books/large.pdf")).id;
  expectSame(library.load(added).words, large.words);
}

TEST_F(LibraryTest, FreesTheLockOfAProcessThatDied) {
  Library library(folder);
  const pid_t child = fork();
  if (child == 0) {
    const FileLock lock = library.lockReading("0123456789ab", "key");
    _exit(0);  // no destructor runs
  }
  waitpid(child, nullptr, 0);
  EXPECT_EQ(sentenceOf([&] { library.lockReading("0123456789ab", "key"); }), "");
}
#endif

}  // namespace
}  // namespace kvasir
