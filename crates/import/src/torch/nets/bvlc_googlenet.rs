//! BVLC's GoogLeNet, whose weights neural-dream has brought from Caffe to PyTorch under Caffe's names, with `_`
//! for their `/` (Szegedy et al. 2014). The layers get Caffe's names back.

use graph::{InputSpec, Lrn, NodeId, Op};

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::{CAFFE_INPUT, ImportError};

type Built = Result<NodeId, ImportError>;

pub(super) fn fits(dict: &StateDict) -> bool {
    ["conv1_7x7_s2.weight", "inception_3a_1x1.weight", "inception_5b_pool_proj.weight"]
        .iter()
        .all(|name| dict.has(name))
}

pub(super) fn input(_: &StateDict) -> InputSpec {
    CAFFE_INPUT
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let half = Pool::new(3, 2).up();
    let mut x = b.input();
    x = unit(b, "conv1/7x7_s2", x, 2)?;
    x = b.max_pool("pool1/3x3_s2", x, half)?;
    x = local_response(b, "pool1/norm1", x)?;
    x = unit(b, "conv2/3x3_reduce", x, 1)?;
    x = unit(b, "conv2/3x3", x, 1)?;
    x = local_response(b, "conv2/norm2", x)?;
    x = b.max_pool("pool2/3x3_s2", x, half)?;
    for name in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"] {
        match name {
            "4a" => x = b.max_pool("pool3/3x3_s2", x, half)?,
            "5a" => x = b.max_pool("pool4/3x3_s2", x, half)?,
            _ => {}
        }
        x = inception(b, &format!("inception_{name}"), x)?;
    }
    x = b.global_average("pool5/7x7_s1", x)?;
    if let Some(classes) = b.linear("loss3_classifier", x)? {
        b.alias("loss3/classifier", classes);
    }
    Ok(())
}

/// A convolution and a ReLU, which takes over its name, as it works in place.
fn unit(b: &mut Builder<'_>, name: &str, x: NodeId, stride: usize) -> Built {
    let weights = name.replace('/', "_");
    let x = b.conv(&weights, x, stride)?;
    let x = b.relu(name, x)?;
    b.alias(&weights, x);
    Ok(x)
}

fn inception(b: &mut Builder<'_>, name: &str, x: NodeId) -> Built {
    let part = |part: &str| format!("{name}/{part}");
    let mut branches = vec![unit(b, &part("1x1"), x, 1)?];
    for size in ["3x3", "5x5"] {
        let reduced = unit(b, &part(&format!("{size}_reduce")), x, 1)?;
        branches.push(unit(b, &part(size), reduced, 1)?);
    }
    let pooled = b.max_pool(&part("pool"), x, Pool::new(3, 1).padded(1).up())?;
    branches.push(unit(b, &part("pool_proj"), pooled, 1)?);
    let joined = b.concat(&part("output"), &branches)?;
    b.alias(&format!("{name}_output"), joined);
    Ok(joined)
}

/// Local response normalisation over 5 channels.
fn local_response(b: &mut Builder<'_>, name: &str, x: NodeId) -> Built {
    let lrn = Lrn { size: 5, alpha: 1e-4 / 5.0, beta: 0.75, bias: 1.0 };
    b.op(name, Op::Lrn(lrn), &[x])
}
