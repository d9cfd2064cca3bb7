// How names of communities and people stand in a path of the service.

const PLAIN = /^(?!\.\.?$)[A-Za-z0-9_.-]{1,64}$/; // `.` and `..` would lead to another path

/**
 * As it is where it is plain; any other as `~` and its UTF-8 in base64url without padding.
 *
 * @param {string} name
 */
export function pathName(name) {
  if (PLAIN.test(name)) return name;
  const bytes = String.fromCharCode(...new TextEncoder().encode(name));
  return `~${btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}
