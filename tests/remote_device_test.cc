// The loader: an address opens a device by way of the shared object, or says what is missing.
#include "lss/device/remote_device.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "lss/device/remote_module.h"
#include "tests/support/aligned_memory.h"
#include "tests/support/files.h"
#include "tests/support/nbd_server.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

bool IsLoaded(const char* library) {
  void* const handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (handle != nullptr) {
    dlclose(handle);
  }
  return handle != nullptr;
}

Status Open(const std::string& uri, const std::string& module = "") {
  RemoteOptions options;
  options.module_file = module;
  std::unique_ptr<Device> device;
  Status status = OpenRemoteDevice(uri, options, &device);
  EXPECT_EQ(status.ok(), device != nullptr);
  return status;
}

void ExpectNotSupported(const Status& status, const std::string& cause, const std::string& remedy) {
  EXPECT_EQ(status.code(), Status::Code::kNotSupported) << status.ToString();
  for (const std::string& part : {cause, remedy}) {
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "no '" << part << "' in: " << status.message();
  }
}

TEST(RemoteDeviceTest, AddressesAndPaths) {
  for (const char* place : {"nbd://host/e", "nbds://host:1/", "nbd+unix:///e?socket=/s"}) {
    EXPECT_TRUE(IsRemotePlace(place)) << place;
  }
  for (const char* place : {"", "/var/lib/second", "nbd", "nbd:/x", "./nbd://x", "file:///x"}) {
    EXPECT_FALSE(IsRemotePlace(place)) << place;
  }
  EXPECT_EQ(Open("/var/lib/second").code(), Status::Code::kInvalidArgument);
}

TEST(RemoteDeviceTest, AModuleThatIsMissing) {
  ExpectNotSupported(Open("nbd://host/e", "/nowhere/libbloom_lfs_nbd.so"),
                     "/nowhere/libbloom_lfs_nbd.so", "libnbd-dev");
  ExpectNotSupported(Open("nbd://host/e", "libbloom_lfs_no_such.so"), "libbloom_lfs_no_such.so",
                     "beside libbloom_lfs_plugin.so");
}

TEST(RemoteDeviceTest, AFileThatIsNoModule) {
  const bloom_lfs::test::TempDir directory;
  bloom_lfs::test::WriteFile(directory / "module.so", std::string(4096, 'x'));
  ExpectNotSupported(Open("nbd://host/e", directory / "module.so"), "invalid ELF header",
                     "from the same build");
  ExpectNotSupported(Open("nbd://host/e", "libc.so.6"), "no function bloom_lfs_nbd_open",
                     "from the same build");
}

TEST(RemoteDeviceTest, AModuleOfAnotherVersion) {
  ExpectNotSupported(Open("nbd://host/e", OTHER_VERSION_MODULE),
                     "of version " + std::to_string(kRemoteModuleVersion + 1) + ", and version " +
                         std::to_string(kRemoteModuleVersion) + " is needed",
                     "from the same build");
}

TEST(RemoteDeviceTest, RemediesFollowFromTheLinkersError) {
  const std::string file = "/lib/libbloom_lfs_nbd.so";
  const std::pair<const char*, const char*> cases[] = {
      {"libnbd.so.0: cannot open shared object file: No such file or directory", "libnbd0"},
      {"/lib/libbloom_lfs_nbd.so: cannot open shared object file: No such file or directory",
       "libnbd-dev"},
      {"/lib/libbloom_lfs_nbd.so: cannot open shared object file: Permission denied", "read that"},
      {"libgnutls.so.30: cannot open shared object file: No such file or directory",
       "install the library"},
      {"/lib/libbloom_lfs_nbd.so: undefined symbol: x", "same build"}};
  for (const auto& [error, remedy] : cases) {
    EXPECT_NE(std::string(RemedyOfModuleError(error, file)).find(remedy), std::string::npos)
        << error;
  }
}

// Last, for it cannot be unloaded.
TEST(RemoteDeviceTest, TheModuleIsLoadedWhenAnAddressAsksForIt) {
#ifdef BLOOM_LFS_HAS_NBD
  EXPECT_FALSE(IsLoaded("libnbd.so.0")) << "a TLS library for nothing";
  const Status gone = Open("nbd+unix:///?socket=/nowhere/socket");
  EXPECT_EQ(gone.code(), Status::Code::kIoError) << gone.ToString();
  EXPECT_TRUE(IsLoaded("libnbd.so.0"));
  if (const std::string why = test::WhyNoNbdServer(); !why.empty()) {
    GTEST_SKIP() << why;
  }
  test::NbdServer server({"memory", "1M"});
  std::unique_ptr<Device> device;
  const Status status = OpenRemoteDevice(server.uri(), {}, &device);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const test::AlignedMemory memory(test::StreamBytes(0, 8192));
  ASSERT_TRUE(device->Write({{memory.data(), 8192}}, 0, WriteKind::kDurable).ok());
  std::string bytes(8192, '?');
  size_t read = 0;
  ASSERT_TRUE(device->Read(0, bytes.size(), bytes.data(), &read).ok());
  EXPECT_EQ(bytes, test::StreamBytes(0, 8192));
#else
  EXPECT_FALSE(IsLoaded("libnbd.so.0"));
  GTEST_SKIP() << "libnbd was not installed when this was built (Debian: libnbd-dev)";
#endif
}

}  // namespace
}  // namespace lss
