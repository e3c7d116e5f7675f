/* Bends one die of coturn's client, preloaded with LD_PRELOAD.
 *
 * turnutils_uclient draws its channel numbers at random from 0x4000 to 0x7FFF, the range of RFC 5766. RFC 8656 §12
 * leaves 0x4000 to 0x4FFF, and a server answers 400 to the rest, so that three draws of four would end the client. It
 * draws with RAND_bytes into a long and keeps the lower 14 bits; nothing else in it asks for eight bytes.
 *
 * It binds several peers of one allocation and does not look whether a number is taken: in 4096 numbers two draws meet
 * now and then, and the answer is rightly a 400. So bits 1 to 11 of a draw count up, and only the rest is chance:
 *
 *     63            14 13 12 11                 1  0
 *    +----------------+-----+--------------------+---+
 *    | drawn          | 0 0 | draws so far       | d |
 *    +----------------+-----+--------------------+---+
 */
#include <sys/random.h>

int RAND_bytes(unsigned char *buffer, int length);

int RAND_bytes(unsigned char *buffer, int length) {
    static _Atomic unsigned long draws;
    if (getrandom(buffer, (size_t)length, 0) != length) {
        return 0;
    }
    if (length == sizeof(long)) {
        unsigned long *drawn = (unsigned long *)(void *)buffer;
        *drawn = (*drawn & ~0x3FFEUL) | (draws++ << 1 & 0x0FFEUL);
    }
    return 1;
}
