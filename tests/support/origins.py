"""What readers that are not ours find of the origin in files."""

import xml.etree.ElementTree as ET

import av
from PIL import Image as Pillow

PROPERTY = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def facts(xmp: str | bytes) -> dict[str, str]:
    """The properties of an XMP packet, by an XML parser."""
    text = xmp.decode() if isinstance(xmp, bytes) else xmp
    (description,) = ET.fromstring(text.strip()).iter(f"{RDF}Description")
    return {name.removeprefix(PROPERTY): value for name, value in description.attrib.items()}


def source_type(path) -> str:
    """What Pillow, or FFmpeg for films, reads of a file."""
    if path.suffix == ".mp4" or path.suffix == ".mov":
        with av.open(str(path), options={"export_xmp": "1"}) as container:
            return facts(container.metadata["xmp"])["DigitalSourceType"]
    with Pillow.open(path) as picture:
        return facts(picture.info["XML:com.adobe.xmp"])["DigitalSourceType"]
