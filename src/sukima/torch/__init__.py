"""Dropout and regularization for PyTorch: the names and defaults of torch where torch has the thing."""

from sukima.torch.accelerate import accelerate as accelerate
from sukima.torch.apply import Applied as Applied
from sukima.torch.apply import apply as apply
from sukima.torch.channel import Dropout1d as Dropout1d
from sukima.torch.channel import Dropout2d as Dropout2d
from sukima.torch.channel import Dropout3d as Dropout3d
from sukima.torch.channel import dropout1d as dropout1d
from sukima.torch.channel import dropout2d as dropout2d
from sukima.torch.channel import dropout3d as dropout3d
from sukima.torch.dropout import Dropout as Dropout
from sukima.torch.dropout import dropout as dropout
from sukima.torch.penalties import penalty as penalty
from sukima.torch.replace import replace as replace
from sukima.torch.sites import sites as sites
