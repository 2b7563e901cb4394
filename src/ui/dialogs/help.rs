//! A dialog that says what this is, what the letters and colours mean, and which keys do what.

use super::dialog::DialogFrame;
use crate::peft::MethodKind;
use crate::ui::diagram::formula::Formula;
use crate::ui::state::Action;
use yew::prelude::*;

/// Whether the help is shown.
#[derive(Properties, PartialEq)]
pub struct HelpProps {
    pub open: bool,
    pub on: Callback<Action>,
}

/// What the page shows, its keys and its address.
#[component]
pub fn Help(props: &HelpProps) -> Html {
    let kinds = MethodKind::ALL.into_iter().filter(|k| !k.formula().is_empty());
    html! {
        <DialogFrame open={props.open} label="Help" close={Action::Help(false)} on={props.on.clone()}>
            <h2>{ "What this is" }</h2>
            <p>{ "A small transformer, pretrained and real, that learns a new task in this tab. Everything is computed on your machine; nothing is uploaded. Choose a method on the left, press Train, and compare what each method costs with what it learns." }</p>
            <h2>{ "Letters and colours" }</h2>
            <dl>
                <dt><span class="swatch theta" />{ "θ" }</dt><dd>{ "the pretrained network: frozen, never changed, grey" }</dd>
                <dt><span class="swatch phi" />{ "φ" }</dt><dd>{ "what the method trains, and nothing else: orange wherever it appears" }</dd>
                { for kinds.map(|kind| html! { <><dt><Formula text={kind.formula()} /></dt><dd>{ kind.title().to_lowercase() }</dd></> }) }
                <dt><span class="tile right">{ "a" }</span></dt><dd>{ "a right letter has a bar below" }</dd>
                <dt><span class="tile wrong">{ "a" }</span></dt><dd>{ "a wrong one has a frame" }</dd>
                <dt><span class="badge recorded">{ "recorded" }</span></dt><dd>{ "a run that was trained before and came with the page" }</dd>
                <dt><span class="badge live">{ "live" }</span></dt><dd>{ "a run that this browser trained; it is kept, and goes on where it was left" }</dd>
            </dl>
            <h2>{ "Keys" }</h2>
            <dl>
                <dt><kbd>{ "space" }</kbd></dt><dd>{ "Train, Pause, Resume" }</dd>
                <dt><kbd>{ "s" }</kbd></dt><dd>{ "one step" }</dd>
                <dt><kbd>{ "r" }</kbd></dt><dd>{ "rewind: the same run again, exactly" }</dd>
                <dt><kbd>{ "t" }</kbd></dt><dd>{ "try it: free text, where the base reads prose" }</dd>
                <dt><kbd>{ "Ctrl z" }</kbd></dt><dd>{ "back comes the run that was removed last" }</dd>
                <dt><kbd>{ "?" }</kbd></dt><dd>{ "this help" }</dd>
            </dl>
        </DialogFrame>
    }
}
