"""The standard streams where several runs are in progress: each write goes to the streams of the run that makes it."""


class RoutedOutput:
    """Stands for an Output. `current_output()` gives the one that counts at the moment."""

    def __init__(self, current_output):
        self.stdout = RoutedStream(lambda: current_output().stdout)
        self.stderr = RoutedStream(lambda: current_output().stderr)
        self.stdin = RoutedStream(lambda: current_output().stdin)


class RoutedStream:
    def __init__(self, current):
        self._current = current

    def write(self, text):
        return self._current().write(text)

    def flush(self):
        self._current().flush()

    def close(self):
        self._current().flush()  # it belongs to all

    def __getattr__(self, name):
        return getattr(self._current(), name)

    def __iter__(self):
        return iter(self._current())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
