/** The user that owns nothing. */
export const NOBODY = 65_534;
