package kafkaown;

import org.apache.kafka.common.utils.Exit;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.opentest4j.TestAbortedException;

/** Around each test: what it needed and did not get, and that no process of its outlives it. */
public final class Guard
        implements BeforeAllCallback,
                BeforeEachCallback,
                AfterTestExecutionCallback,
                AfterEachCallback,
                AfterAllCallback,
                TestExecutionExceptionHandler,
                LifecycleMethodExecutionExceptionHandler {

    @Override
    public void beforeAll(ExtensionContext context) {
        Sut.beforeClass = true;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        Sut.beforeClass = false;
        Sut.sweep(false);
        Sut.begin(
                context.getRequiredTestClass().getSimpleName()
                        + "."
                        + context.getRequiredTestMethod().getName()
                        + "-"
                        + context.getDisplayName());
        Sut.onlyCombined = Shape.onlyCombined(context);
        Exit.resetExitProcedure();
        Exit.resetHaltProcedure();
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        Sut.end();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        Sut.sweep(false);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        Sut.sweep(true);
    }

    private static void judge(Throwable e) throws Throwable {
        if (e instanceof TestAbortedException) throw e;
        String missing = Sut.missing();
        if (missing != null)
            throw new TestAbortedException(
                    missing.startsWith("unasked ") ? missing : "in-JVM: " + missing, e);
        throw e;
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable e)
            throws Throwable {
        judge(e);
    }

    @Override
    public void handleBeforeEachMethodExecutionException(ExtensionContext context, Throwable e)
            throws Throwable {
        Sut.tearingDown = true;
        judge(e);
    }

    @Override
    public void handleAfterEachMethodExecutionException(ExtensionContext context, Throwable e)
            throws Throwable {
        judge(e);
    }
}
