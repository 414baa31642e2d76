import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.placement.*;
/** Prints where stock places replicas by our draws: see ../../src/controller/tests/placement.rs. */
public class PlaceReplicas {
  static class Split extends Random {
    long state, stream;
    Split(long state, long stream) { super(0); this.state = state; this.stream = stream; }
    long next64() {
      state += 0x9e3779b97f4a7c15L;
      long m = state ^ stream;
      m = (m ^ (m >>> 30)) * 0xbf58476d1ce4e5b9L;
      m = (m ^ (m >>> 27)) * 0x94d049bb133111ebL;
      return m ^ (m >>> 31);
    }
    @Override public int nextInt(int bound) {
      long a = next64(); return (int) (Math.multiplyHigh(a, (long) bound) + ((a >> 63) & bound));
    }
  }
  public static void main(String[] args) {
    // brokers as rack letters, upper case: fenced, '-': no rack
    for (String line : args) {
      String[] f = line.split(":");
      String brokers = f[0]; int parts = Integer.parseInt(f[1]); short rf = Short.parseShort(f[2]); long seed = Long.parseLong(f[3]);
      List<UsableBroker> list = new ArrayList<>();
      for (int i = 0; i < brokers.length(); i++) {
        char c = brokers.charAt(i);
        boolean fenced = Character.isUpperCase(c) || c == '_';
        Optional<String> rack = (c == '-' || c == '_') ? Optional.empty() : Optional.of(String.valueOf(Character.toLowerCase(c)));
        list.add(new UsableBroker(i + 1, rack, fenced));
      }
      ClusterDescriber d = new ClusterDescriber() {
        public Iterator<UsableBroker> usableBrokers() { return list.iterator(); }
        public Uuid defaultDir(int id) { return Uuid.ZERO_UUID; }
      };
      StringBuilder out = new StringBuilder(line).append(" = ");
      try {
        TopicAssignment a = new StripedReplicaPlacer(new Split(seed, 0)).place(new PlacementSpec(0, parts, rf), d);
        for (PartitionAssignment p : a.assignments()) out.append(p.replicas().toString().replace("[", "").replace("]", "").replace(", ", ",")).append(' ');
      } catch (Exception e) { out.append(e.getMessage()); }
      System.out.println(out.toString().trim());
    }
  }
}
