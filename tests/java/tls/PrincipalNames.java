import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;

/** Prints for each certificate its subject's name, and what each line of a file of rules makes of it. */
public class PrincipalNames {
    public static void main(String[] args) throws Exception {
        var out = new java.io.PrintStream(System.out, true, "UTF-8");
        var factory = CertificateFactory.getInstance("X.509");
        for (int i = 1; i < args.length; i++) {
            X509Certificate certificate;
            try (var file = new FileInputStream(args[i])) {
                certificate = (X509Certificate) factory.generateCertificate(file);
            }
            String name = certificate.getSubjectX500Principal().getName();
            out.println(name);
            for (String rules : Files.readAllLines(Path.of(args[0]))) {
                String mapped;
                try {
                    mapped = SslPrincipalMapper.fromRules(rules).getName(name);
                } catch (Exception e) {
                    mapped = "refused";
                }
                out.println("  " + mapped);
            }
        }
    }
}
