"""Where pictures and films say that a model had a hand in them: the IPTC digital source type, as XMP.

IPTC Photo Metadata 2025.1 and Video Metadata Hub 1.7 name the properties, XMP Part 3 (Adobe, 2020) says where a
PNG or MP4 file keeps them. Readers such as ExifTool show them as XMP-iptcExt:DigitalSourceType.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import quoteattr

from edgegan import __version__

from ..errors import SinkError
from ..model.image import Image

_CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_XMP_KEYWORD = "XML:com.adobe.xmp"  # of a PNG text chunk
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of an MP4 box
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_IHDR_END = len(_PNG_HEAD) + 25
_TOOL = f"edgegan {__version__}"


@dataclass(frozen=True, slots=True)
class Origin:
    """How pictures came about: the words of the visible mark, the code of the IPTC's list, and the model's name."""

    mark: str
    code: str
    model: str = ""

    @property
    def source_type(self) -> str:
        """The IPTC digital source type, as a URI."""
        return _CODES + self.code

    def sentence(self) -> str:
        """For people, and for formats that only have a comment."""
        return f"{self.mark} with {_TOOL}; digital source type: {self.source_type}"

    def xmp(self) -> bytes:
        """The XMP packet, UTF-8."""
        facts = {
            "Iptc4xmpExt:DigitalSourceType": self.source_type,
            **({"Iptc4xmpExt:AISystemUsed": self.model} if self.model else {}),
            "xmp:CreatorTool": _TOOL,
        }
        attributes = "\n   ".join(f"{name}={quoteattr(value)}" for name, value in facts.items())
        return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
   xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
   xmlns:xmp="http://ns.adobe.com/xap/1.0/"
   {attributes}/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()


EDITED = Origin("AI-edited", "compositeWithTrainedAlgorithmicMedia")
GENERATED = Origin("AI-generated", "trainedAlgorithmicMedia")


def png(image_bgr: Image, origin: Origin, texts: Mapping[str, str] | None = None) -> bytes:
    """A PNG file of (H, W, 3) uint8 BGR, quickly packed, that tells its origin and `texts`.

    Raises SinkError for a picture that is too large for PNG.
    """
    import cv2

    done, packed = cv2.imencode(".png", image_bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise SinkError(f"a picture of {image_bgr.shape[0]}x{image_bgr.shape[1]} cannot be written as PNG")
    return into_png(packed.tobytes(), origin, texts)


def into_png(png: bytes, origin: Origin, texts: Mapping[str, str] | None = None) -> bytes:
    """The PNG file with its origin, and with `texts` (keyword -> words), before its pixels."""
    from PIL.PngImagePlugin import PngInfo, putchunk

    told = PngInfo()
    for keyword, words in {_XMP_KEYWORD: origin.xmp().decode(), "Software": _TOOL, **(texts or {})}.items():
        told.add_itxt(keyword, words)
    chunks = BytesIO()
    for chunk in told.chunks:
        putchunk(chunks, chunk[0], chunk[1])
    return png[:_IHDR_END] + chunks.getvalue() + png[_IHDR_END:]


def append_to_mp4(path: Path, origin: Origin) -> None:
    """Writes the origin behind the last box of an MP4 or MOV file, where it moves no other byte."""
    body = _XMP_UUID + origin.xmp()
    with open(path, "ab") as file:
        file.write(struct.pack(">I", len(body) + 8) + b"uuid" + body)
