// io: w ->
// A library that reads.
requires readonly_and_readwrite_storage_textures;
fn one() -> f32 { return load_w(0u); } /* always /* really */ */
