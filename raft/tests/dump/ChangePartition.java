import java.util.*;
import java.util.stream.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.controller.PartitionChangeBuilder;
import org.apache.kafka.metadata.*;
import org.apache.kafka.server.common.*;

/** Prints what stock's builder makes of random changes: see ../../src/controller/tests/change.rs. */
public class ChangePartition {
  static final Random random = new Random(966);

  static List<Integer> some(List<Integer> from, int chance) {
    return from.stream().filter(id -> random.nextInt(100) < chance).collect(Collectors.toList());
  }

  static int[] array(List<Integer> ids) { return ids.stream().mapToInt(i -> i).toArray(); }

  static Uuid dir(int id) { return new Uuid(1, id); }

  static String list(List<Integer> ids) {
    return ids == null ? "-" : ids.isEmpty() ? "none" : ids.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  static String once() {
    List<Integer> all = new ArrayList<>(List.of(1, 2, 3, 4, 5));
    Collections.shuffle(all, random);
    boolean elrEnabled = random.nextInt(4) > 0;
    List<Integer> replicas = new ArrayList<>(all.subList(0, 1 + random.nextInt(4)));
    List<Integer> adding = List.of(), removing = List.of();
    if (random.nextInt(4) == 0) {
      adding = some(replicas, 40);
      List<Integer> rest = new ArrayList<>(replicas);
      rest.removeAll(adding);
      removing = some(rest, 40);
    }
    List<Integer> isr = some(replicas, 70);
    if (isr.isEmpty() && !elrEnabled) isr = new ArrayList<>(replicas.subList(0, 1));
    List<Integer> rest = new ArrayList<>(replicas);
    rest.removeAll(isr);
    List<Integer> elr = elrEnabled ? some(rest, 50) : List.of();
    int leader = isr.isEmpty() || random.nextInt(4) == 0 ? -1 : isr.get(random.nextInt(isr.size()));
    List<Integer> last = elrEnabled && leader < 0 && random.nextInt(3) > 0
        ? List.of(replicas.get(random.nextInt(replicas.size()))) : List.of();
    boolean recovering = random.nextInt(4) == 0;
    List<Integer> alive = some(List.of(1, 2, 3, 4, 5), 60);
    int minIsr = 1 + random.nextInt(3);
    int mv = List.of(7, 16, 17, 27, 27, 27).get(random.nextInt(6));
    if (mv < 23) { elrEnabled = false; elr = List.of(); last = List.of(); if (isr.isEmpty()) { isr = new ArrayList<>(replicas.subList(0, 1)); } }
    PartitionRegistration part = new PartitionRegistration.Builder().setReplicas(array(replicas))
        .setDirectories(replicas.stream().map(ChangePartition::dir).toArray(Uuid[]::new)).setIsr(array(isr))
        .setRemovingReplicas(array(removing)).setAddingReplicas(array(adding)).setElr(array(elr)).setLastKnownElr(array(last))
        .setLeader(leader).setLeaderRecoveryState(recovering ? LeaderRecoveryState.RECOVERING : LeaderRecoveryState.RECOVERED)
        .setLeaderEpoch(5).setPartitionEpoch(9).build();
    List<Integer> known = new ArrayList<>(replicas);
    PartitionChangeBuilder b = new PartitionChangeBuilder(part, Uuid.ZERO_UUID, 0,
        id -> alive.contains(id) && known.contains(id), MetadataVersion.fromFeatureLevel((short) mv), minIsr);
    b.setEligibleLeaderReplicasEnabled(elrEnabled);
    b.setDefaultDirProvider(ChangePartition::dir);
    List<Integer> toIsr = null, toReplicas = null, toRemoving = null, toAdding = null, unclean = null;
    Integer moved = null;
    Boolean toRecovering = null;
    switch (random.nextInt(6)) {
      case 0: toIsr = some(isr, 60); break;
      case 1: toIsr = some(replicas, 70); toRecovering = false; break;
      case 2: unclean = List.of(replicas.get(random.nextInt(replicas.size()))); toIsr = new ArrayList<>(isr); toIsr.removeAll(unclean); break;
      case 3:
        Collections.shuffle(all, random);
        List<Integer> target = new ArrayList<>(all.subList(0, 1 + random.nextInt(4)));
        List<Integer> gone = new ArrayList<>(new TreeSet<>(replicas)); gone.removeAll(target);
        List<Integer> added = new ArrayList<>(new TreeSet<>(target)); added.removeAll(replicas);
        target.addAll(gone);
        if (!target.equals(replicas)) toReplicas = target;
        if (!gone.isEmpty()) toRemoving = gone;
        if (!added.isEmpty()) toAdding = added;
        break;
      case 4: moved = replicas.get(random.nextInt(replicas.size())); break;
      default: break;
    }
    PartitionChangeBuilder.Election election = PartitionChangeBuilder.Election.values()[random.nextInt(3)];
    b.setElection(election);
    if (toIsr != null) b.setTargetIsr(toIsr);
    if (toReplicas != null) b.setTargetReplicas(toReplicas);
    if (toRemoving != null) b.setTargetRemoving(toRemoving);
    if (toAdding != null) b.setTargetAdding(toAdding);
    if (unclean != null) b.setUncleanShutdownReplicas(unclean);
    if (toRecovering != null) b.setTargetLeaderRecoveryState(LeaderRecoveryState.RECOVERED);
    if (moved != null) b.setDirectory(moved, dir(100));
    String input = String.join(" ", list(replicas), list(isr), list(removing), list(adding), list(elr), list(last),
        leader + (recovering ? "!" : ""), list(alive), minIsr + "", elrEnabled + "", mv + "", election + "",
        list(toIsr), list(toReplicas), list(toRemoving), list(toAdding), list(unclean), (toRecovering != null) + "",
        moved == null ? "-" : moved + "");
    Optional<ApiMessageAndVersion> built = b.build();
    if (built.isEmpty()) return input + " = nothing";
    PartitionChangeRecord r = (PartitionChangeRecord) built.get().message();
    List<Integer> after = r.replicas() == null ? replicas : r.replicas();
    List<Integer> eligible = r.eligibleLeaderReplicas() == null ? elr : r.eligibleLeaderReplicas();
    // Unlike Kafka: only a replica is eligible.
    if (!after.containsAll(eligible)) return null;
    String dirs = r.directories() == null ? "-" : list(r.directories().stream().map(d -> (int) d.getLeastSignificantBits()).collect(Collectors.toList()));
    return input + " = " + String.join(" ", r.leader() + "", list(r.isr()), list(r.replicas()), list(r.removingReplicas()),
        list(r.addingReplicas()), list(r.eligibleLeaderReplicas()), list(r.lastKnownElr()), r.leaderRecoveryState() + "", dirs);
  }

  public static void main(String[] args) {
    int count = Integer.parseInt(args[0]);
    for (int n = 0; n < count; ) {
      String line = once();
      if (line != null) { System.out.println(line); n++; }
    }
  }
}
