// Style sheets that a module imports become part of the page's own.
declare module "*.css";
