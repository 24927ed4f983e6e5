//! Inception v3 as torchvision has it (Szegedy et al. 2015).

use graph::NodeId;

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;

type Built = Result<NodeId, ImportError>;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("Mixed_5b.branch1x1.conv.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    x = valid(b, "Conv2d_1a_3x3", x, 2)?;
    x = valid(b, "Conv2d_2a_3x3", x, 1)?;
    x = chain(b, &["Conv2d_2b_3x3"], x)?;
    x = b.max_pool("maxpool1", x, Pool::new(3, 2))?;
    x = chain(b, &["Conv2d_3b_1x1"], x)?;
    x = valid(b, "Conv2d_4a_3x3", x, 1)?;
    x = b.max_pool("maxpool2", x, Pool::new(3, 2))?;
    for name in ["Mixed_5b", "Mixed_5c", "Mixed_5d"] {
        let branches: [&[&str]; 3] = [
            &["branch1x1"],
            &["branch5x5_1", "branch5x5_2"],
            &["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"],
        ];
        x = same_size(b, name, &branches, x)?;
    }
    x = halving(
        b,
        "Mixed_6a",
        &[&["branch3x3"], &["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]],
        x,
    )?;
    for name in ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"] {
        let branches: [&[&str]; 3] = [
            &["branch1x1"],
            &["branch7x7_1", "branch7x7_2", "branch7x7_3"],
            &[
                "branch7x7dbl_1",
                "branch7x7dbl_2",
                "branch7x7dbl_3",
                "branch7x7dbl_4",
                "branch7x7dbl_5",
            ],
        ];
        x = same_size(b, name, &branches, x)?;
    }
    let branches: [&[&str]; 2] = [
        &["branch3x3_1", "branch3x3_2"],
        &["branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"],
    ];
    x = halving(b, "Mixed_7a", &branches, x)?;
    for name in ["Mixed_7b", "Mixed_7c"] {
        x = forking(b, name, x)?;
    }
    x = b.global_average("avgpool", x)?;
    b.linear("fc", x).map(drop)
}

/// A convolution, its normalisation and a ReLU, without padding.
fn valid(b: &mut Builder<'_>, name: &str, x: NodeId, stride: usize) -> Built {
    let x = b.valid(&format!("{name}.conv"), x, stride)?;
    let x = b.norm(&format!("{name}.bn"), x)?;
    b.relu(name, x)
}

/// Some of them one after another that keep the size.
fn chain(b: &mut Builder<'_>, names: &[impl AsRef<str>], mut x: NodeId) -> Built {
    for name in names {
        x = super::googlenet::unit(b, name.as_ref(), x, 1)?;
    }
    Ok(x)
}

fn full(name: &str, parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| format!("{name}.{part}")).collect()
}

/// The branch of an average pool and a 1×1 convolution.
fn pooled(b: &mut Builder<'_>, name: &str, x: NodeId) -> Built {
    let pool = Pool::new(3, 1).padded(1);
    let x = b.average_pool(&format!("{name}.avgpool"), x, pool)?;
    chain(b, &[format!("{name}.branch_pool")], x)
}

/// Branches side by side, and that of a pool.
fn same_size(b: &mut Builder<'_>, name: &str, branches: &[&[&str]], x: NodeId) -> Built {
    let ends = branches.iter().map(|parts| chain(b, &full(name, parts), x));
    let mut ends: Vec<NodeId> = ends.collect::<Result<_, _>>()?;
    ends.push(pooled(b, name, x)?);
    b.concat(name, &ends)
}

/// Branches whose last convolutions halve the size, and a pool that does.
fn halving(b: &mut Builder<'_>, name: &str, branches: &[&[&str]], x: NodeId) -> Built {
    let mut ends = Vec::new();
    for parts in branches {
        let (last, before) = parts.split_last().expect("no branch is empty");
        let reduced = chain(b, &full(name, before), x)?;
        ends.push(valid(b, &format!("{name}.{last}"), reduced, 2)?);
    }
    ends.push(b.max_pool(&format!("{name}.maxpool"), x, Pool::new(3, 2))?);
    b.concat(name, &ends)
}

/// Branches that end in two.
fn forking(b: &mut Builder<'_>, name: &str, x: NodeId) -> Built {
    let mut ends = vec![chain(b, &full(name, &["branch1x1"]), x)?];
    let forks: [(&[&str], [&str; 2], &str); 2] = [
        (&["branch3x3_1"], ["branch3x3_2a", "branch3x3_2b"], "branch3x3"),
        (
            &["branch3x3dbl_1", "branch3x3dbl_2"],
            ["branch3x3dbl_3a", "branch3x3dbl_3b"],
            "branch3x3dbl",
        ),
    ];
    for (stem, fork, joined) in forks {
        let stem = chain(b, &full(name, stem), x)?;
        let [one, two] = fork.map(|part| chain(b, &full(name, &[part]), stem));
        ends.push(b.concat(&format!("{name}.{joined}"), &[one?, two?])?);
    }
    ends.push(pooled(b, name, x)?);
    b.concat(name, &ends)
}
