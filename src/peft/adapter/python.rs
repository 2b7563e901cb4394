//! The Python that does the same.

use super::{Adapter, NonLinearity, Placement};
use crate::model::Target;
use crate::peft::{Python, Script, python};

impl Python for Adapter {
    fn python(&self, script: &Script<'_>) -> String {
        let act = match self.non_linearity {
            NonLinearity::Relu => "F.relu",
            NonLinearity::Silu => "F.silu",
            NonLinearity::Tanh => "torch.tanh",
            NonLinearity::GeluNew => "lambda x: F.gelu(x, approximate=\"tanh\")",
        };
        let values = [
            ("D_MODEL", script.model().hidden_size.to_string()),
            ("BOTTLENECK", self.bottleneck.to_string()),
            ("FACTOR", self.scaling.to_string()),
            ("NON_LINEARITY", act.into()),
            ("BLOCK_LIST", script.block_list()),
            ("ATTENTION_OUT", script.in_block(Target::O)),
            ("LAST", script.in_block(Target::Fc2)),
            ("MLP_NORM", script.family().mlp_norm.into()),
            ("BLOCKS", format!("{:?}", self.layers.list(script.model().num_hidden_layers))),
        ];
        let mut text = include_str!("python.py").to_string();
        if self.placement.at_attention() {
            text += include_str!("after_attention.py");
        }
        text += match self.placement {
            Placement::Parallel => include_str!("beside_mlp.py"),
            Placement::Both | Placement::Mlp => include_str!("after_mlp.py"),
            Placement::Attention => "",
        };
        python::fill(&text, &values)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
