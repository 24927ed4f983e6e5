//! A recipe as an XMP packet with one property, which every picture format but BMP can carry and
//! every XMP reader shows.

/// The namespace of the property.
const NAMESPACE: &str = "https://deepdream.invalid/recipe/1.0/";

/// The most bytes of a packet that are looked at.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// Where a PNG's readers look for XMP: the keyword of the text chunk.
pub(crate) const PNG_KEYWORD: &str = "XML:com.adobe.xmp";

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

/// The recipe's text in an XMP packet, if it is one that carries a recipe.
pub(crate) fn unpack(packet: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(packet.get(..packet.len().min(MOST_BYTES))?).ok()?;
    let options = roxmltree::ParsingOptions { nodes_limit: 10_000, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(text, options).ok()?;
    let name = (NAMESPACE, "recipe");
    document.descendants().find_map(|node| {
        // Programs that rewrite XMP may turn the element into an attribute.
        if node.has_tag_name(name) { node.text() } else { node.attribute(name) }.map(str::to_owned)
    })
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
