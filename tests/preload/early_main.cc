#include "tests/preload/service.h"

namespace rocksdb {
class Env;
}
rocksdb::Env* EarlyEnv();

int main(int argc, char** argv) { return EarlyEnv() != nullptr ? ServiceMain(argc, argv) : 1; }
