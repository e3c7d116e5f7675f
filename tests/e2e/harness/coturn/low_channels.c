/* Bends one die of coturn's client, preloaded with LD_PRELOAD.
 *
 * turnutils_uclient draws its channel numbers at random from 0x4000 to 0x7FFF, the range of RFC 5766. RFC 8656 §12
 * leaves 0x4000 to 0x4FFF, and a server answers 400 to the rest, so that three draws of four would end the client. It
 * draws with RAND_bytes into a long and keeps the lower 14 bits; nothing else in it asks for eight bytes.
 */
#include <sys/random.h>

int RAND_bytes(unsigned char *buffer, int length);

int RAND_bytes(unsigned char *buffer, int length) {
    if (getrandom(buffer, (size_t)length, 0) != length) {
        return 0;
    }
    if (length == sizeof(long)) {
        long *drawn = (long *)(void *)buffer;
        *drawn &= ~0x3000L;
    }
    return 1;
}
