// io: x: Value -> y: Value
// items: i < params.count
// y = x, an item in a thread.
alias Value = f32;
struct Params { count: u32 }
fn item(i: u32) { store_y(i, load_x(i)); }
