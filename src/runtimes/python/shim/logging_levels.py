"""Lets records of `logging` keep their level on their way through the standard streams."""

from _thread import get_ident

from output import level_by_thread, restore_level


def keep_levels(module):
    """Changes the module `logging`, once, right after it has been loaded."""
    plain_emit = module.StreamHandler.emit

    def emit(self, record):
        thread = get_ident()
        before = level_by_thread.get(thread)
        level_by_thread[thread] = level_of(record.levelno)
        try:
            plain_emit(self, record)
        finally:
            restore_level(thread, before)

    emit.__module__ = module.__name__
    emit.__qualname__ = "StreamHandler.emit"
    emit.__doc__ = plain_emit.__doc__
    module.StreamHandler.emit = emit


def level_of(number):
    if number >= 40:
        return "error"
    if number >= 30:
        return "warn"
    return "info" if number >= 20 else "debug"
