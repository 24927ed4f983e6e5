//! Makes `crates/import/src/onnx/proto.rs` out of `onnx.proto`, the official schema, which lies beside this
//! program as the ONNX project publishes it.
//!
//! Only the messages and fields that running a network needs are kept. What there can be many of stays
//! bytes, which are the same in the file, so that the reader counts them before it unpacks any.

use std::error::Error;
use std::path::Path;

use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};

/// Each message with its fields that are kept; those that begin with `*` stay bytes.
const KEPT: &[(&str, &[&str])] = &[
    ("AttributeProto", &["name", "ref_attr_name", "f", "i", "s", "t", "*g", "floats", "ints"]),
    ("ValueInfoProto", &["name", "type"]),
    (
        "NodeProto",
        &["input", "output", "name", "op_type", "domain", "overload", "*attribute", "*metadata_props"],
    ),
    (
        "ModelProto",
        &[
            "*opset_import",
            "producer_name",
            "graph",
            "*metadata_props",
            "*functions",
        ],
    ),
    ("StringStringEntryProto", &["key", "value"]),
    ("GraphProto", &["*node", "*initializer", "*input", "*output"]),
    (
        "TensorProto",
        &[
            "dims",
            "data_type",
            "float_data",
            "int32_data",
            "int64_data",
            "name",
            "raw_data",
            "*external_data",
            "data_location",
            "double_data",
            "uint64_data",
        ],
    ),
    ("TensorShapeProto", &["*dim"]),
    ("Dimension", &["dim_value", "dim_param"]),
    ("TypeProto", &["tensor_type"]),
    ("Tensor", &["elem_type", "shape"]),
    ("OperatorSetIdProto", &["domain", "version"]),
    (
        "FunctionProto",
        &["name", "input", "output", "*attribute_proto", "*node", "domain", "overload", "*opset_import"],
    ),
];

/// The enumerations that are kept; fields of the others become numbers.
const ENUMS: &[&str] = &["DataType"];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = protox::compile(["onnx.proto"], [here])?;
    reduce(&mut files);
    let out = std::env::args().nth(1).ok_or("Usage: onnx-schema FOLDER")?;
    prost_build::Config::new()
        .out_dir(&out)
        .bytes(["."])
        .disable_comments(["."])
        .compile_fds(files)?;
    Ok(())
}

fn reduce(files: &mut FileDescriptorSet) {
    for file in &mut files.file {
        file.source_code_info = None;
        file.enum_type.clear();
        keep(&mut file.message_type);
    }
}

fn keep(messages: &mut Vec<DescriptorProto>) {
    let kept = |message: &DescriptorProto| KEPT.iter().find(|(name, _)| *name == message.name());
    messages.retain(|message| kept(message).is_some());
    for message in messages {
        let (_, fields) = kept(message).expect("the others are gone");
        message.field.retain_mut(|field| {
            let counted = fields.iter().any(|kept| kept.strip_prefix('*') == Some(field.name()));
            if counted {
                field.set_type(Type::Bytes);
                field.type_name = None;
            }
            if field.r#type() == Type::Enum {
                field.set_type(Type::Int32);
                field.type_name = None;
            }
            counted || fields.contains(&field.name())
        });
        message.enum_type.retain(|kept| ENUMS.contains(&kept.name()));
        keep(&mut message.nested_type);
    }
}
