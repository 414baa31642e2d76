// Runs stock's kafka-storage for each line of a file (words separated by tabs, `-` for none) and
// prints what it said. tests/fixtures/kafka-storage-4.3.1.txt is its output for the commands in it,
// without help pages and the classes of exceptions, run where lay_out_transcript of
// tests/kafka_storage.rs would lay out files:
//   java -cp 'JARS/*' StorageTranscript.java COMMANDS
import java.io.*; import java.nio.file.*; import java.util.*; import net.sourceforge.argparse4j.*;
public class StorageTranscript {
  public static void main(String[] a) throws Exception {
    PrintStream realOut = System.out;
    for (String line : Files.readAllLines(Path.of(a[0]))) {
      if (line.isEmpty()) continue;
      String[] args = line.equals("-") ? new String[0] : line.split("\t", -1);
      ByteArrayOutputStream out = new ByteArrayOutputStream(), err = new ByteArrayOutputStream();
      PrintStream po = new PrintStream(out), pe = new PrintStream(err), oldErr = System.err;
      System.setOut(po); System.setErr(pe);
      int code = 0;
      try { code = kafka.tools.StorageTool.execute(args, po); }
      catch (Throwable e) { String n = e.getClass().getSimpleName(); code = 1;
        if (n.equals("FormatterException") || n.equals("TerseFailure")) pe.println(e.getMessage()); else pe.println("Exception in thread \"main\" " + e); }
      System.setOut(realOut); System.setErr(oldErr);
      realOut.println("$ " + String.join(" ", args)); realOut.print(indent("out", out)); realOut.print(indent("err", err)); realOut.println("exit " + code); realOut.println();
    }
  }
  static String indent(String p, ByteArrayOutputStream b) { StringBuilder s = new StringBuilder(); String t = b.toString(); if (t.isEmpty()) return ""; for (String l : t.split("\n", -1)) { s.append(p).append("|").append(l).append("\n"); } return s.toString(); }
}
