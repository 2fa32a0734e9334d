"""Where the compiled program is kept, so that a second process starts without compiling.

The folder is the user's cache folder, or what the environment variable SLALOM_CACHE_DIR names. What
lies there is machine code, which Numba writes and reads, and is trusted as the installed package
itself is. A folder that cannot be written or read is no fault: the program is compiled again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from slalom import optim
from slalom.core.cache import cache_folder
from slalom.engine import hyper, rules
from slalom.engine.native.adapter import CacheLocator, CompileResultCacheImpl, FunctionCache


class _Folder(CacheLocator):
    """One folder for all programs; their sources say whether one is still the right one."""

    def __init__(self, file: str) -> None:
        self._file = Path(file)

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        # Numba looks at the file of the function alone, but this one is made from many.
        folders = (Path(__file__).parent, Path(optim.__file__).parent)
        sources = [path for folder in folders for path in sorted(folder.glob("*.py"))]
        sources += [Path(str(rules.__file__)), Path(str(hyper.__file__)), self._file]
        return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()

    def get_disambiguator(self) -> str:
        return self.get_source_stamp()[:8]

    @classmethod
    def from_function(cls, function: Any, file: str) -> "_Folder":
        return cls(file)


class _Program(CompileResultCacheImpl):
    _locator_classes: ClassVar[list[Any]] = [_Folder]  # type: ignore[misc]


class ProgramCache(FunctionCache):
    """Numba's cache of a function, in a folder of Slalom's."""

    _impl_class = _Program

    @property
    def filled(self) -> bool:
        """Whether there is a program of these sources in the folder."""
        return Path(self._cache_file._index_path).exists()

    def load_overload(self, *arguments: Any) -> Any:
        # Numba would first make all of its functions known to the compiler, which takes 0.3 s and
        # which a program that is compiled has no use for.
        with self._guard_against_spurious_io_errors():
            return self._load_overload(*arguments)

    def _load_overload(self, *arguments: Any) -> Any:
        try:
            return super()._load_overload(*arguments)
        except Exception:
            self.flush()  # a damaged index could not be added to either
            raise

    @contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        with suppress(Exception):  # whatever a damaged file makes of itself
            yield
