// What belongs to the four gates of a unit.
alias Gates = vec4<f32>;

fn narrow(v: vec4<f32>) -> Gates {
  return v;
}

fn wide(v: Gates) -> vec4<f32> {
  return v;
}

fn total(a: Gates, b: Gates) -> f32 {
  return dot(a, b);
}
