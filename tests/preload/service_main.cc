#include "tests/preload/service.h"

int main(int argc, char** argv) { return ServiceMain(argc, argv); }
