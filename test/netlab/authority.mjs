/** The lab's own certificate authority, and its place in the browsers' profiles. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/**
 * Makes an authority and a certificate for one name.
 *
 * @param {string} dir where the files go
 * @param {string} name DNS name
 * @returns {{ca: string, cert: string, key: string}} PEM files
 */
export function certify(dir, name) {
  const files = {ca: join(dir, 'ca.pem'), cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem')};
  const caKey = join(dir, 'ca-key.pem');
  const request = join(dir, 'request.pem');
  const extensions = join(dir, 'extensions.cnf');
  writeFileSync(extensions, `subjectAltName=DNS:${name}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n`);
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...ec,
    '-keyout',
    caKey,
    '-out',
    files.ca,
    '-days',
    '30',
    '-subj',
    '/CN=Lab Authority',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign',
  );
  openssl('req', ...ec, '-keyout', files.key, '-out', request, '-subj', `/CN=${name}`);
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    files.ca,
    '-CAkey',
    caKey,
    '-CAcreateserial',
    '-out',
    files.cert,
    '-days',
    '30',
    '-extfile',
    extensions,
  );
  return files;
}

/**
 * Makes an NSS database that trusts the authority for web servers.
 *
 * @param {string} dir the database's directory: a Firefox profile, or Chromium's
 * @param {string} ca PEM file
 */
export function trust(dir, ca) {
  mkdirSync(dir, {recursive: true});
  execFileSync('certutil', ['-N', '--empty-password', '-d', `sql:${dir}`], {stdio: 'pipe'});
  execFileSync('certutil', ['-A', '-n', 'lab', '-t', 'C,,', '-i', ca, '-d', `sql:${dir}`], {stdio: 'pipe'});
}

/**
 * A home directory whose Chromium trusts the authority.
 *
 * @param {string} home
 * @param {string} ca PEM file
 */
export function chromiumHome(home, ca) {
  trust(join(home, '.pki', 'nssdb'), ca);
  return home;
}

/** @param {...string} args */
function openssl(...args) {
  execFileSync('openssl', args, {stdio: 'pipe'});
}
