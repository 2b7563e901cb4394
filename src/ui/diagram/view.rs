//! The diagram as a component.

use super::formula::Formula;
use crate::config::RunConfig;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct DiagramProps {
    pub config: RunConfig,
    /// φ gets a gradient at this moment.
    #[prop_or_default]
    pub pulse: bool,
    /// A narrow page: the opened block alone.
    #[prop_or_default]
    pub compact: bool,
}

/// The network.
#[component]
pub fn Diagram(props: &DiagramProps) -> Html {
    html! { <div class="diagram"><Formula text={props.config.method.info().formula} /></div> }
}
