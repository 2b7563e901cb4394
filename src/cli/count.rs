//! `peft-lab count`: trainable parameters, from closed formulas.

use super::flags::config;
use super::output::print_line;
use super::sentence::Sentence;
use crate::peft::trainable_line;
use clap::ArgMatches;
use serde_json::json;

/// The count as a line in PEFT's words and as a sum, or as JSON.
pub(super) fn count(args: &ArgMatches) -> Result<(), Sentence> {
    let config = config(args)?;
    let count = config.count();
    let (trainable, all) = (count.total(), config.all_parameters());
    if args.get_flag("json") {
        let terms: Vec<_> =
            count.terms.iter().map(|t| json!({"what": t.what, "product": t.product, "value": t.value})).collect();
        print_line!("{}", json!({"trainable": trainable, "all": all, "terms": terms}));
    } else {
        print_line!("{}\n{trainable} = {}", trainable_line(trainable, all), count.sum());
        if let Some(fused) = config.method.method().fused(&config.shape()) {
            print_line!("{fused}");
        }
    }
    Ok(())
}
