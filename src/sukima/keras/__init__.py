"""Dropout and regularization for Keras 3, on TensorFlow, JAX and PyTorch: Keras' names where Keras has the thing."""

from sukima.base.imports import require as _require

_require("keras", "keras")

from sukima.keras.alpha import AlphaDropout as AlphaDropout  # noqa: E402
from sukima.keras.apply import Applied as Applied  # noqa: E402
from sukima.keras.apply import apply as apply  # noqa: E402
from sukima.keras.block import DropBlock1D as DropBlock1D  # noqa: E402
from sukima.keras.block import DropBlock2D as DropBlock2D  # noqa: E402
from sukima.keras.block import DropBlock3D as DropBlock3D  # noqa: E402
from sukima.keras.concrete import ConcreteDropout as ConcreteDropout  # noqa: E402
from sukima.keras.connect import DropConnect as DropConnect  # noqa: E402
from sukima.keras.dropout import Dropout as Dropout  # noqa: E402
from sukima.keras.gaussian import GaussianDropout as GaussianDropout  # noqa: E402
from sukima.keras.locked import LockedDropout as LockedDropout  # noqa: E402
from sukima.keras.path import DropPath as DropPath  # noqa: E402
from sukima.keras.rebuild import replace as replace  # noqa: E402
from sukima.keras.recurrent import GRU as GRU  # noqa: E402
from sukima.keras.recurrent import LSTM as LSTM  # noqa: E402
from sukima.keras.recurrent import GRUCell as GRUCell  # noqa: E402
from sukima.keras.recurrent import LSTMCell as LSTMCell  # noqa: E402
from sukima.keras.regularizers import GroupLasso as GroupLasso  # noqa: E402
from sukima.keras.regularizers import Scheduled as Scheduled  # noqa: E402
from sukima.keras.sampling import sampling as sampling  # noqa: E402
from sukima.keras.sites import sites as sites  # noqa: E402
from sukima.keras.spatial import SpatialDropout1D as SpatialDropout1D  # noqa: E402
from sukima.keras.spatial import SpatialDropout2D as SpatialDropout2D  # noqa: E402
from sukima.keras.spatial import SpatialDropout3D as SpatialDropout3D  # noqa: E402
