//! The recipe inside a picture: an XMP packet with one property, which every format but BMP can carry
//! and every XMP reader shows.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::ImageDecoder;
use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, Limits};
use tiff::tags::Tag;

use super::Format;
use super::decode::open;
use crate::exit::{Failure, Fault};
use crate::machine::free_memory;

/// The namespace of the property.
const NAMESPACE: &str = "https://deepdream.invalid/recipe/1.0/";

/// TIFF's tag for XMP.
pub(super) const XMP_TAG: Tag = Tag::Unknown(700);

/// The most bytes of metadata that are looked at.
const MOST_BYTES: usize = 1 << 20;

/// The XMP packet that carries a recipe's text.
pub(crate) fn packet(recipe: &str) -> String {
    let escaped = recipe.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:deepdream="{NAMESPACE}">
<deepdream:recipe>{escaped}</deepdream:recipe>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"#
    )
}

/// The recipe's text in an XMP packet.
fn unpack(packet: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(packet.get(..packet.len().min(MOST_BYTES))?).ok()?;
    let options = roxmltree::ParsingOptions { nodes_limit: 10_000, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(text, options).ok()?;
    let name = (NAMESPACE, "recipe");
    document.descendants().find_map(|node| {
        // Programs that rewrite XMP may turn the element into an attribute.
        if node.has_tag_name(name) { node.text() } else { node.attribute(name) }.map(str::to_owned)
    })
}

/// The recipe's text that a dreamt picture carries.
///
/// # Errors
/// A file that is no picture, or a picture without a recipe.
pub(crate) fn recipe_of(path: &Path) -> Result<String, Failure> {
    let mut decoder = open(path, free_memory())?;
    let packet = match Format::of_file(path)? {
        Format::Tiff => tiff_tag(path, XMP_TAG),
        _ => decoder.xmp_metadata().ok().flatten(),
    };
    packet.as_deref().and_then(unpack).ok_or_else(|| {
        let what = format!("{}: this picture carries no recipe", path.display());
        Failure::new(Fault::Recipe, what)
            .or("use a recipe's TOML file, or a PNG, JPEG, WebP or TIFF that this program dreamt")
    })
}

/// The bytes of a TIFF's tag. `image`'s decoder allows tags no more memory than the pixels take, which
/// in a small picture is too little.
pub(super) fn tiff_tag(path: &Path, tag: Tag) -> Option<Vec<u8>> {
    let file = BufReader::new(File::open(path).ok()?);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST_BYTES * size_of::<Value>();
    Decoder::new(file).ok()?.with_limits(limits).get_tag_u8_vec(tag).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipe_survives_its_packet() {
        let recipe = "name = \"a<b & c>d\"\n[layers]\nweight = 1.5 # ]]> \"quoted\"\n";
        assert_eq!(unpack(packet(recipe).as_bytes()).as_deref(), Some(recipe));
    }

    #[test]
    fn hostile_packets_carry_nothing() {
        let long = packet(&"x".repeat(MOST_BYTES));
        let deep = "<a>".repeat(5_000) + &"</a>".repeat(5_000);
        let entities = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        for packet in ["", "<", long.as_str(), deep.as_str(), entities] {
            assert_eq!(unpack(packet.as_bytes()), None);
        }
    }
}
