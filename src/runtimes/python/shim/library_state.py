"""State that modules of the standard library keep out of sight: what is common is undone, the rest is compared.

Looks only at modules that are loaded.
"""

import sys

import _locale

CLEAN_LOGGER = (0, True, False, 0)


def reset():
    """Undoes what honest scripts do all the time and what should not cost them their warm worker."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed()
    decimal = sys.modules.get("decimal")
    if decimal is not None:
        decimal.setcontext(decimal.DefaultContext.copy())
    logging = sys.modules.get("logging")
    if logging is not None:
        # `basicConfig` and `logging.warning` leave a handler that would write to the streams of this run.
        root = logging.root
        if all(type(handler) is logging.StreamHandler for handler in root.handlers):
            for handler in root.handlers[:]:
                root.removeHandler(handler)
                handler.close()
            root.setLevel(logging.WARNING)


class LibraryState:
    def __init__(self):
        self.loggers = loggers()
        self.filters = filters()
        self.locale = _locale.setlocale(_locale.LC_ALL)

    def why_not(self):
        for name, state in loggers().items():
            if state != self.loggers.get(name, CLEAN_LOGGER):
                return "it configured logging"
        if self.filters is None:
            self.filters = filters()
        elif self.filters != filters():
            return "it changed the warnings filters"
        if _locale.setlocale(_locale.LC_ALL) != self.locale:
            return "it changed the locale"
        return None


def filters():
    warnings = sys.modules.get("warnings")
    return None if warnings is None else list(warnings.filters)


def loggers():
    logging = sys.modules.get("logging")
    if logging is None:
        return {}
    root = logging.root
    states = {
        name: (logger.level, logger.propagate, logger.disabled, len(logger.filters), *logger.handlers)
        for name, logger in root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    states["root"] = root.level - logging.WARNING, root.manager.disable == 0, root.disabled, len(root.filters), *root.handlers
    return states
