import Codec.Length
import Codec.RoundTrip
