// Whether somebody sees a live picture: what nobody sees is not fetched.

/**
 * Whether one of these is seen: in the page while its tab is, in a picture above other windows whenever.
 *
 * @param {...HTMLVideoElement} videos
 */
export const isSeen = (...videos) =>
  !document.hidden || videos.some((video) => video === document.pictureInPictureElement);
