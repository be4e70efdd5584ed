export {Overlay} from './overlay';
export {Pointers} from './pointers';
