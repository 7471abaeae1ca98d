// A Java program with mapped files: a fault in one is an InternalError, which it catches.
import java.io.File;
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

public class Faults {
  static boolean faultIsCaught(String directory, int number) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(directory + "/java" + number, "rw")) {
      file.setLength(1 << 16);
      MappedByteBuffer bytes =
          file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, 1 << 16);
      file.setLength(0);
      try {
        int sum = 0;
        for (int i = 0; i < 1 << 16; i++) {
          sum += bytes.get(i);
        }
        System.out.println("no fault: " + sum);
        return false;
      } catch (InternalError e) {
        return true;
      }
    }
  }

  public static void main(String[] args) throws Exception {
    String directory = args[0];
    boolean before = faultIsCaught(directory, 1);
    new File(directory + "/GO").createNewFile();
    File verdict = new File(directory + "/verdict");
    while (verdict.length() == 0) {
      Thread.sleep(10);
    }
    boolean after = faultIsCaught(directory, 2);
    System.out.println("java " + (before ? "caught" : "missed") + " " + (after ? "caught" : "missed"));
  }
}
