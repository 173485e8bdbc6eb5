// A library.
requires readonly_and_readwrite_storage_textures;
fn one() -> f32 { return 1.0; } /* always /* really */ */
