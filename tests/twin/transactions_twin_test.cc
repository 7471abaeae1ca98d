// Transactions in two phases: a prepared one is in the WAL and nowhere else until it is committed,
// and old WALs stay alive for it.

#include <gtest/gtest.h>
#include <rocksdb/utilities/optimistic_transaction_db.h>
#include <rocksdb/utilities/transaction.h>
#include <rocksdb/utilities/transaction_db.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/test_env.h"
#include "tests/support/twin.h"
#include "tests/support/twin_database.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::OptimisticTransactionDB;
using rocksdb::Transaction;
using rocksdb::TransactionDB;
using rocksdb::TransactionDBOptions;

struct Policy {
  const char* name;
  rocksdb::TxnDBWritePolicy policy;
  bool two_write_queues;
};

const Policy kPolicies[] = {
    {"WriteCommitted", rocksdb::WRITE_COMMITTED, false},
    {"WriteCommittedTwoQueues", rocksdb::WRITE_COMMITTED, true},
    {"WritePrepared", rocksdb::WRITE_PREPARED, false},
    {"WritePreparedTwoQueues", rocksdb::WRITE_PREPARED, true},
    {"WriteUnprepared", rocksdb::WRITE_UNPREPARED, false},
};

std::unique_ptr<TransactionDB> OpenTransactions(rocksdb::Env* env, const std::string& path,
                                                const Policy& policy) {
  rocksdb::Options options = QuietOptions(env);
  options.two_write_queues = policy.two_write_queues;
  TransactionDBOptions transaction_options;
  transaction_options.write_policy = policy.policy;
  // An unprepared transaction writes its rows to the WAL as it grows.
  transaction_options.default_write_batch_flush_threshold = 4096;
  TransactionDB* db = nullptr;
  Require(TransactionDB::Open(options, transaction_options, path, &db));
  return std::unique_ptr<TransactionDB>(db);
}

// A transaction of 20 rows, not yet prepared.
std::unique_ptr<Transaction> Begin(TransactionDB* db, const std::string& name, bool sync = false) {
  rocksdb::WriteOptions write_options;
  write_options.sync = sync;
  std::unique_ptr<Transaction> transaction(db->BeginTransaction(write_options));
  Require(transaction->SetName(name));
  for (uint32_t row = 0; row < 20; ++row) {
    Require(transaction->Put(name + RowKey(row), RowValue(row, 0, 5000)));
  }
  return transaction;
}

// Leaves "kept" and "dropped" prepared in a WAL that has been switched since, "late" prepared in
// the newest one, "open" not prepared at all; others are over.
std::vector<std::unique_ptr<Transaction>> RunTransactions(TransactionDB* db) {
  std::vector<std::unique_ptr<Transaction>> pending;
  PutRows(db, db->DefaultColumnFamily(), {0, 50});
  for (const char* name : {"kept", "dropped"}) {
    pending.push_back(Begin(db, name, /*sync=*/true));
    Require(pending.back()->Prepare());
  }
  const auto committed = Begin(db, "committed");
  Require(committed->Prepare());
  Require(committed->Commit());
  const auto rolled_back = Begin(db, "rolled-back");
  Require(rolled_back->Prepare());
  Require(rolled_back->Rollback());
  Require(db->Flush(rocksdb::FlushOptions()));
  AwaitQuiet(db);
  PutRows(db, db->DefaultColumnFamily(), {25, 75, 1});
  const auto plain = Begin(db, "plain");
  Require(plain->Commit());
  pending.push_back(Begin(db, "late"));
  Require(pending.back()->Prepare());
  pending.push_back(Begin(db, "open"));
  return pending;
}

void SayPrepared(TwinSide& side, TransactionDB* db) {
  std::vector<Transaction*> prepared;
  db->GetAllPreparedTransactions(&prepared);
  std::vector<std::string> names;
  names.reserve(prepared.size());
  for (const Transaction* transaction : prepared) names.push_back(transaction->GetName());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) side.Say("prepared", name);
  side.Say("prepared in all", names.size());
}

void Finish(TransactionDB* db, const std::string& name, bool commit) {
  const std::unique_ptr<Transaction> transaction(db->GetTransactionByName(name));
  if (transaction == nullptr) throw std::runtime_error(name + " is not there");
  Require(commit ? transaction->Commit() : transaction->Rollback());
}

// What every process does that finds the database with transactions pending.
std::unique_ptr<TransactionDB> Recover(rocksdb::Env* env, const std::string& path,
                                       const Policy& policy) {
  std::unique_ptr<TransactionDB> db = OpenTransactions(env, path, policy);
  PutRows(db.get(), db->DefaultColumnFamily(), {60, 90, 2});
  return db;
}

void DecideAll(TwinSide& side, const std::string& path, const Policy& policy) {
  {
    const auto db = Recover(side.env(), path, policy);
    SayPrepared(side, db.get());
    side.SayContents("undecided", db.get());
    Finish(db.get(), "kept", true);
    Finish(db.get(), "dropped", false);
    Finish(db.get(), "late", true);
    SayPrepared(side, db.get());
    side.SayContents("decided", db.get());
    SayWals(side, "when decided", db.get());
  }
  const auto db = OpenTransactions(side.env(), path, policy);
  SayPrepared(side, db.get());
  side.SayContents("after reopening", db.get());
}

class PreparedTwinTest : public testing::TestWithParam<size_t> {
 protected:
  static const Policy& policy() { return kPolicies[GetParam()]; }
};
INSTANTIATE_TEST_SUITE_P(All, PreparedTwinTest, testing::Range<size_t>(0, std::size(kPolicies)),
                         [](const auto& param_info) { return kPolicies[param_info.param].name; });

// RocksDB asserts that no transaction is pending when a database of another policy is closed.
class WriteCommittedTwinTest : public PreparedTwinTest {};
INSTANTIATE_TEST_SUITE_P(All, WriteCommittedTwinTest, testing::Values(0, 1),
                         [](const auto& param_info) { return kPolicies[param_info.param].name; });

TEST_P(WriteCommittedTwinTest, TransactionsOutliveAClose) {
  ExpectTwins([](TwinSide& side) {
    {
      const auto db = OpenTransactions(side.env(), side / "db", policy());
      std::vector<std::unique_ptr<Transaction>> pending = RunTransactions(db.get());
      Require(pending.back()->Rollback());  // the one that is not prepared
      pending.clear();
    }
    {
      const auto db = Recover(side.env(), side / "db", policy());
      SayPrepared(side, db.get());
      std::vector<Transaction*> prepared;
      db->GetAllPreparedTransactions(&prepared);
      for (Transaction* transaction : prepared) delete transaction;  // and stays prepared
    }
    DecideAll(side, side / "db", policy());
  });
}

// Arguments: path, "stock" or "plugin", index of the policy.
int VictimMain(const std::vector<std::string>& args) {
  const TestEnv env(args.at(1) == "plugin" ? With::kPlugin : With::kStock);
  const auto db = OpenTransactions(env.get(), args.at(0), kPolicies[std::stoul(args.at(2))]);
  const auto pending = RunTransactions(db.get());
  Report("prepared");
  for (;;) ::pause();
}
const RegisterChild kVictim("victim", VictimMain);

int SecondVictimMain(const std::vector<std::string>& args) {
  const TestEnv env(args.at(1) == "plugin" ? With::kPlugin : With::kStock);
  const auto db = Recover(env.get(), args.at(0), kPolicies[std::stoul(args.at(2))]);
  Report("recovered");
  for (;;) ::pause();
}
const RegisterChild kSecondVictim("second_victim", SecondVictimMain);

TEST_P(PreparedTwinTest, TransactionsOutliveTwoKills) {
  ExpectTwins([](TwinSide& side) {
    for (const char* role : {"victim", "second_victim"}) {
      ChildProcess victim(role, {side / "db", side.name(), std::to_string(GetParam())});
      side.Say(role, victim.Hear());
      victim.Kill();
    }
    DecideAll(side, side / "db", policy());
  });
}

// --- optimistic ----------------------------------------------------------------------------------

TEST(OptimisticTwinTest, ConflictsAreFoundAtCommitAndNothingOfThemStays) {
  ExpectTwins([](TwinSide& side) {
    const auto open = [&] {
      OptimisticTransactionDB* db = nullptr;
      Require(OptimisticTransactionDB::Open(QuietOptions(side.env()), side / "db", &db));
      return std::unique_ptr<OptimisticTransactionDB>(db);
    };
    {
      const auto db = open();
      PutRows(db.get(), db->DefaultColumnFamily(), {0, 100});
      rocksdb::WriteOptions synced;
      synced.sync = true;
      for (uint32_t row = 0; row < 100; ++row) {
        const std::unique_ptr<Transaction> transaction(db->BeginTransaction(synced));
        std::string value;
        Require(transaction->GetForUpdate(rocksdb::ReadOptions(), RowKey(row), &value));
        if (row % 3 == 0) Require(db->Put(rocksdb::WriteOptions(), RowKey(row), "in between"));
        Require(transaction->Put(RowKey(row), RowValue(row, 1, 5000)));
        side.Say("commit", transaction->Commit());
        if (row == 50) Require(db->Flush(rocksdb::FlushOptions()));
      }
      AwaitQuiet(db.get());
      side.SayContents("before closing", db.get());
    }
    const auto db = open();
    side.SayContents("after reopening", db.get());
  });
}

}  // namespace
}  // namespace bloom_lfs::test
