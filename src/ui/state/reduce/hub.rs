//! A checkpoint from the Hub: asked for by name, listed, fetched when its visitor says so, and then looked at like files
//! that were chosen.

use crate::ui::state::parts::hub;
use crate::ui::state::{Effect, Hub, HubPhase, HubSaid, HubWish, State};

impl State {
    /// What a visitor wishes of the Hub.
    pub(super) fn wish_of_hub(&mut self, wish: HubWish) -> Vec<Effect> {
        let Hub { name, phase, number } = &mut self.bring.hub;
        match wish {
            HubWish::Type(text) => {
                *name = text;
                if !matches!(phase, HubPhase::Fetching(..)) {
                    *phase = HubPhase::Idle;
                    *number += 1;
                }
                Vec::new()
            }
            HubWish::List => match hub::asked(name) {
                Ok((id, file)) => {
                    *number += 1;
                    *phase = HubPhase::Asked;
                    vec![Effect::List(*number, id, file)]
                }
                Err(why) => {
                    *phase = HubPhase::Failed(why);
                    Vec::new()
                }
            },
            HubWish::Fetch => match std::mem::take(phase) {
                HubPhase::Listed(model) => {
                    *phase = HubPhase::Fetching(model.clone(), 0);
                    vec![Effect::FetchFromHub(*number, model)]
                }
                other => {
                    *phase = other;
                    Vec::new()
                }
            },
            HubWish::Cancel => {
                *number += 1;
                *phase = HubPhase::Idle;
                vec![Effect::LeaveHub]
            }
        }
    }

    /// What has come from the Hub.
    pub(super) fn hub_said(&mut self, number: u32, said: HubSaid) -> Vec<Effect> {
        let hub = &mut self.bring.hub;
        if number != hub.number {
            return Vec::new();
        }
        match (said, &mut hub.phase) {
            (HubSaid::Listed(Ok(model)), _) => hub.phase = HubPhase::Listed(model),
            (HubSaid::Listed(Err(why)) | HubSaid::Failed(why), _) => hub.phase = HubPhase::Failed(why),
            (HubSaid::Bytes(bytes), HubPhase::Fetching(_, so_far)) => *so_far = bytes,
            (HubSaid::Files(files), _) => {
                hub.phase = HubPhase::Idle;
                return self.open_files(files);
            }
            _ => {}
        }
        Vec::new()
    }
}
