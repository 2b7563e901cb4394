//! The Python that does the same.

use super::{Prefix, PrefixInit};
use crate::peft::{Python, Script, python};

impl Python for Prefix {
    fn python(&self, script: &Script<'_>) -> String {
        if !self.layers.is_all() || !script.alone {
            return self.written_out(script);
        }
        let (n, h) = (self.num_virtual_tokens, self.encoder_hidden_size);
        let projection = match self.prefix_projection {
            true => format!("prefix_projection=True, encoder_hidden_size={h}"),
            false => String::new(),
        };
        let peft = python::fill(include_str!("python.py"), &[("LENGTH", n.to_string()), ("**OPTIONS", projection)]);
        if self.init == PrefixInit::Random {
            return peft;
        }
        let values = [("LENGTH", n.to_string()), ("WORDS", format!("{:?}", self.init_text))];
        peft + &python::fill(include_str!("from_text.py"), &values)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}

impl Prefix {
    /// peft's prefix stands in every block of a model that nothing else has wrapped: others come in by a hook.
    fn written_out(&self, script: &Script<'_>) -> String {
        let (d, blocks) = (script.model().key_value_width(), self.layers.list(script.model().num_hidden_layers));
        let own = match (self.prefix_projection, self.init) {
            (true, _) => include_str!("own_projected.py"),
            (false, PrefixInit::Text) => include_str!("own_text.py"),
            (false, PrefixInit::Random) => include_str!("own_plain.py"),
        };
        let values = [
            ("WIDTH", d.to_string()),
            ("HIDDEN", self.encoder_hidden_size.to_string()),
            ("KEYS_AND_VALUES", (2 * blocks.len() * d).to_string()),
            ("BLOCK_COUNT", blocks.len().to_string()),
            ("WORDS", format!("{:?}", self.init_text)),
        ];
        let own = python::fill(own, &values).trim_end().to_string();
        let values = [
            ("LENGTH", self.num_virtual_tokens.to_string()),
            ("BLOCKS", format!("{blocks:?}")),
            ("OWN", own),
            ("DECODER", script.family().decoder.into()),
        ];
        python::fill(include_str!("without_peft.py"), &values)
    }
}
