"""Runs unittest suites with one line a test and a sum that machines can read."""

import concurrent.futures
import time
import traceback
import unittest


class Result(unittest.TestResult):
    """Each test either passed or failed: an error, a skip and a failed subtest count as failures."""

    def __init__(self, quiet=False):
        super().__init__()
        self.quiet = quiet
        self.passed = 0
        self.failed = 0
        self.lines = []
        self._problems = []
        self._started = 0

    def take(self, other):
        """Adds what another result, of a test that ran at the same time, has counted and said."""
        self.passed += other.passed
        self.failed += other.failed
        self.testsRun += other.testsRun
        for text in other.lines:
            self._say(text)

    def startTest(self, test):
        super().startTest(test)
        self._problems = []
        self._started = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        seconds = time.monotonic() - self._started
        if self._problems:
            self.failed += 1
        else:
            self.passed += 1
        self._say(f"{'FAIL' if self._problems else 'ok  '} {test.id()} ({seconds:.2f} s)")
        for text in self._problems:
            self._say("\n".join(f"     {line}" for line in text.rstrip().splitlines()))

    def _say(self, text):
        self.lines.append(text)
        if not self.quiet:
            print(text, flush=True)

    def _problem(self, test, error):
        text = "".join(traceback.format_exception(*error))
        if hasattr(test, "_testMethodName") or isinstance(test, unittest.case._SubTest):
            self._problems.append(text)
            return
        # setUpClass or a module that cannot be loaded: there is no test to count it for.
        self.failed += 1
        self._say(f"FAIL {test}\n{text}")

    def addError(self, test, err):
        super().addError(test, err)
        self._problem(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._problem(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._problems.append(f"{subtest}\n" + "".join(traceback.format_exception(*err)))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._problems.append(f"skipped ({reason}): a test that does not run proves nothing")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._problems.append("passed, but is marked as expected to fail")


class Suite(unittest.TestSuite):
    """The tests of a class whose `at_once` is greater than 1 run that many at a time; they share what setUpClass made."""

    def run(self, result, debug=False):
        tests = [test for test in self if isinstance(test, unittest.TestCase)]
        kinds = {type(test) for test in tests}
        at_once = max((getattr(kind, "at_once", 1) for kind in kinds), default=1)
        if len(tests) < len(list(self)) or len(kinds) != 1 or at_once == 1:
            return super().run(result, debug)
        self._tearDownPreviousClass(tests[0], result)
        self._handleModuleFixture(tests[0], result)
        self._handleClassSetUp(tests[0], result)
        result._previousTestClass = type(tests[0])
        if not getattr(type(tests[0]), "_classSetupFailed", False):
            self._run_at_once(tests, at_once, result)
        return result

    @staticmethod
    def _run_at_once(tests, at_once, result):
        def run(test):
            own = Result(quiet=True)
            test.run(own)
            return own
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for done in concurrent.futures.as_completed([pool.submit(run, test) for test in tests]):
                result.take(done.result())


def discover(folder, pattern):
    """All test_*.py in the folder; with a pattern, those whose id contains it."""
    loader = unittest.TestLoader()
    loader.suiteClass = Suite
    if pattern:
        loader.testNamePatterns = [f"*{pattern}*"]
    return loader.discover(str(folder), pattern="test_*.py", top_level_dir=str(folder))
