//! θ: a pretrained model, loaded once, shared by every run, never written. It knows no method: a
//! [`Composition`] steps in where it may.

#[cfg(feature = "train")]
mod cache;
#[cfg(feature = "train")]
mod composition;
mod config;
mod config_keys;
pub mod families;
mod family;
pub mod files;
mod hook;
#[cfg(feature = "train")]
pub mod layers;
#[cfg(feature = "train")]
mod matrix;
#[cfg(feature = "train")]
mod merged;
mod module_path;
#[cfg(feature = "train")]
mod random;
mod shapes;
mod site;
mod storage;
mod target;
mod tensor_info;
#[cfg(feature = "train")]
mod theta;
#[cfg(feature = "train")]
mod tokens;
#[cfg(feature = "train")]
mod weights;

#[cfg(feature = "train")]
pub use cache::Cache;
#[cfg(feature = "train")]
pub use composition::{Composition, Compositions, LinearAt, Prefixed, Text};
pub use config::{Activation, Biases, ModelConfig, ModelConfigError, Norm, NormKind, Positions, Sizes};
pub use config_keys::{ConfigKeys, UNQUANTISED};
pub use family::{Family, Joined, LinearModule, RealModel, within};
pub use hook::{At, Hook};
#[cfg(feature = "train")]
pub use matrix::Matrix;
pub use module_path::{ModulePath, ParamKind, Sublayer};
pub use shapes::{is_large, is_small_beside};
pub use site::Site;
pub use storage::Storage;
pub use target::Target;
pub use tensor_info::TensorInfo;
#[cfg(feature = "train")]
pub use theta::Model;
#[cfg(feature = "train")]
pub use tokens::Tokens;
#[cfg(feature = "train")]
pub use weights::{Block, Frozen, ModuleTensors, Weights};
