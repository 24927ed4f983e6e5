//! Functions and normalisations that exporters write as several operations, told by how these are wired.

use graph::{Binary, LayerNorm, NodeId, Op, Unary};

use super::reader::Reader;

/// How far a number may be from the one in a formula.
const NEAR: f32 = 1e-4;

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() < NEAR
}

impl Reader {
    fn op_and_inputs(&self, id: NodeId) -> (&Op, &[NodeId]) {
        (self.assembly.op(id), self.assembly.inputs(id))
    }

    /// `scale · x + shift` with the same numbers for all channels, and `x`.
    fn line(&self, id: NodeId) -> Option<(f32, f32, NodeId)> {
        let (Op::Affine(affine), &[x]) = self.op_and_inputs(id) else { return None };
        let (&scale, &shift) = (affine.scale.first()?, affine.shift.first()?);
        let same =
            affine.scale.iter().all(|&x| x == scale) && affine.shift.iter().all(|&x| x == shift);
        same.then_some((scale, shift, x))
    }

    fn unary(&self, id: NodeId) -> Option<(Unary, NodeId)> {
        match self.op_and_inputs(id) {
            (Op::Unary(function), &[x]) => Some((*function, x)),
            _ => None,
        }
    }

    /// `x` of `1 + erf(x / √2)`.
    fn one_plus_erf(&self, id: NodeId) -> Option<NodeId> {
        let (scale, shift, erf) = self.line(id)?;
        let (Unary::Erf, scaled) = self.unary(erf)? else { return None };
        let (inner, none, x) = self.line(scaled)?;
        let fits = near(scale, 1.0)
            && near(shift, 1.0)
            && near(inner, std::f32::consts::FRAC_1_SQRT_2)
            && none == 0.0;
        fits.then_some(x)
    }

    /// The function that the product of two values is of one.
    pub(super) fn fused_product(&self, a: NodeId, b: NodeId) -> Option<(Unary, NodeId)> {
        self.gated(a, b).or_else(|| self.gated(b, a))
    }

    fn gated(&self, x: NodeId, gate: NodeId) -> Option<(Unary, NodeId)> {
        match self.unary(gate) {
            Some((Unary::Sigmoid, of)) if of == x => return Some((Unary::Silu, x)),
            Some((Unary::HardSigmoid { alpha, beta }, of))
                if of == x && near(alpha, 1.0 / 6.0) && near(beta, 0.5) =>
            {
                return Some((Unary::HardSwish, x));
            }
            _ => {}
        }
        let (scale, shift, of) = self.line(x)?;
        let half = near(scale, 0.5) && shift == 0.0;
        (half && self.one_plus_erf(gate) == Some(of)).then_some((Unary::Gelu, of))
    }

    /// `x` of which half of `id` is the Gaussian error linear unit.
    pub(super) fn twice_gelu(&self, id: NodeId) -> Option<NodeId> {
        let (Op::Binary(Binary::Mul), &[a, b]) = self.op_and_inputs(id) else { return None };
        if self.one_plus_erf(b) == Some(a) {
            return Some(a);
        }
        (self.one_plus_erf(a) == Some(b)).then_some(b)
    }

    /// The normalisation over the channels that a quotient is: `(x − mean) / √(variance + epsilon)`.
    pub(super) fn fused_quotient(&self, a: NodeId, b: NodeId) -> Option<(LayerNorm, NodeId)> {
        let (Op::Binary(Binary::Sub), &[x, mean]) = self.op_and_inputs(a) else { return None };
        let is_mean = |id: NodeId, of: &dyn Fn(NodeId) -> bool| matches!(self.op_and_inputs(id), (Op::ChannelMean, &[inner]) if of(inner));
        let (Unary::Sqrt, sum) = self.unary(b)? else { return None };
        let (one, epsilon, variance) = self.line(sum)?;
        let is_square = |id: NodeId| match self.op_and_inputs(id) {
            (Op::Unary(Unary::Pow { exponent }), &[of]) => *exponent == 2.0 && self.is_same(of, a),
            (Op::Binary(Binary::Mul), &[p, q]) => self.is_same(p, a) && self.is_same(q, a),
            _ => false,
        };
        if one != 1.0 || !is_mean(mean, &|of| of == x) || !is_mean(variance, &is_square) {
            return None;
        }
        let row = |value: f32| std::iter::repeat_n(value, self.channels(x)).collect();
        Some((LayerNorm { scale: row(1.0), shift: row(0.0), epsilon }, x))
    }

    /// Whether two nodes are one, or the same difference of the same values.
    fn is_same(&self, a: NodeId, b: NodeId) -> bool {
        let difference = |id: NodeId| match self.op_and_inputs(id) {
            (Op::Binary(Binary::Sub), &[x, mean]) => Some((x, self.mean_of(mean))),
            _ => None,
        };
        a == b
            || difference(a).is_some_and(|(x, of)| difference(b) == Some((x, of)) && of.is_some())
    }

    fn mean_of(&self, id: NodeId) -> Option<NodeId> {
        match self.op_and_inputs(id) {
            (Op::ChannelMean, &[x]) => Some(x),
            _ => None,
        }
    }
}
