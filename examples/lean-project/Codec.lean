import Codec.Facts
import Codec.Length
import Codec.RoundTrip
