"""Videos of all kinds whose pictures show their own number as black and white boxes."""

import subprocess
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

NUM_FRAMES, WIDTH, HEIGHT = 60, 128, 64
_BITS, _BOX = 8, 16

_X264 = '-c:v libx264 -preset veryfast -threads 1 '
_X265 = '-c:v libx265 -preset ultrafast -threads 1 -x265-params log-level=error'
_VPX = '-auto-alt-ref 1 -lag-in-frames 16 -g 20 -b:v 50k -cpu-used 8'

# What the encoder is told, by the name of the file.
ENCODED = {
    'h264.mp4': _X264 + '-g 20 -bf 3',
    'h264.mov': _X264 + '-g 250',
    'h264.mkv': _X264 + '-g 20',
    'h264.flv': _X264 + '-g 20',
    'h264.ts': _X264 + '-g 20',
    'h264.avi': _X264 + '-g 20 -bf 2',
    'vfr.avi': '-c:v mpeg4 -fps_mode vfr -vf setpts=(N+floor(N/7)*5)/25/TB',
    'raw.h264': _X264 + '-g 20',
    'open.mp4': _X264 + '-x264-params open-gop=1:keyint=20:bframes=3',
    'open.ts': _X264 + '-x264-params open-gop=1:keyint=20:bframes=3',
    'refresh.mp4': _X264 + '-x264-params intra-refresh=1:keyint=15:bframes=0',
    'interlaced.ts': _X264 + '-flags +ilme+ildct -x264-params tff=1:keyint=20',
    'fragments.mp4': _X264 + '-g 20 -movflags +frag_keyframe+empty_moov',
    'faststart.mp4': _X264 + '-g 20 -movflags +faststart',
    'vfr.mp4': _X264 + '-fps_mode vfr -vf setpts=PTS+not(mod(N\\,5))*N*0.01/TB',
    'same_time.mkv': _X264 + '-bf 0 -fps_mode passthrough -enc_time_base 1:25 '
    '-vf setpts=floor(N/2)*2/25/TB',
    'hevc.mp4': _X265 + ' -tag:v hvc1',
    'hevc.ts': _X265 + ':keyint=20',
    'av1.mkv': '-c:v libsvtav1 -preset 12 -g 20 -svtav1-params lp=1',
    'vp8.webm': '-c:v libvpx ' + _VPX,
    'vp9.webm': '-c:v libvpx-vp9 ' + _VPX,
    'xvid.avi': '-c:v mpeg4 -bf 2 -vtag xvid -g 20',
    'mpeg4.mp4': '-c:v mpeg4 -bf 2 -g 20',
    'mpeg1.mpg': '-c:v mpeg1video -g 15 -bf 2',
    'mpeg2.mpg': '-c:v mpeg2video -g 15 -bf 2 -flags +ilme+ildct',
    'mpeg2.vob': '-c:v mpeg2video -g 15 -bf 2',
    'mpeg2.ts': '-c:v mpeg2video -g 15 -bf 2',
    'wmv2.wmv': '-c:v wmv2 -g 20',
    'theora.ogv': '-c:v libtheora -g 20',
    'flv1.flv': '-c:v flv -g 20',
    'mjpeg.avi': '-c:v mjpeg -q:v 5',
    'png.mov': '-c:v png -pix_fmt rgb24',
    'ffv1.mkv': '-c:v ffv1',
    'prores.mov': '-c:v prores_ks -pix_fmt yuv422p10le',
    'animation.gif': '-pix_fmt rgb8',
}
SOUND = '-f lavfi -i sine=duration=4 -map 0 -map 1 -c:a aac'
# Made of others without encoding: the source, what stands before it, what behind.
COPIED = {
    'cut.mp4': ('h264.mp4', '-ss 1.3', ''),
    'cut.mov': ('h264.mov', '-ss 1.3', '-t 0.6'),
    'cut.mkv': ('h264.mkv', '-ss 1.3', ''),
    'cut_open.mp4': ('open.mp4', '-ss 1.3', ''),
    'cut_open.mkv': ('open.mp4', '-ss 1.3', ''),
    'cut_hevc.mp4': ('hevc.mp4', '-ss 1.3', '-tag:v hvc1'),
    'cut_no_edits.mp4': ('open.mp4', '-ss 1.3', '-use_editlist 0'),
    'no_key.mp4': ('h264.mp4', '', '-ss 0.5 -copyinkf'),
    'packed.avi': ('xvid.avi', '', '-bsf:v mpeg4_unpack_bframes'),
    'pipe.webm': ('vp9.webm', '', '-live 1'),
    'pipe.mkv': ('h264.mp4', '', '-live 1'),
    'negative.mkv': ('h264.mp4', '-itsoffset -1', '-avoid_negative_ts disabled'),
    'late.ts': ('h264.mp4', '-itsoffset 20000', ''),
    'turned.mp4': ('h264.mp4', '-display_rotation 90', ''),
    'long_sound.mkv': ('h264.mp4', '', SOUND),
    'long_sound.webm': ('vp9.webm', '', SOUND + ' -c:a libopus'),
    'long_sound.flv': ('h264.mp4', '', SOUND),
    'long_sound.wmv': ('wmv2.wmv', '', SOUND + ' -c:a wmav2'),
    'two_films.mkv': ('mpeg4.mp4', '', '-i {h264.mp4} -map 0 -map 1'),
    'thumbnail.mp4': (
        'thumbnail.jpg',
        '',
        '-i {h264.mp4} -map 0 -map 1 -disposition:v:0 attached_pic',
    ),
    'thumbnail.mkv': ('thumbnail.jpg', '', '-i {h264.mp4} -map 0 -map 1'),
}
# Parts of files: the source, from where to where.
PARTS = {
    'half.avi': ('xvid.avi', 0, 0.5),
    'half.flv': ('h264.flv', 0, 0.5),
    'half.mp4': ('faststart.mp4', 0, 0.5),
    'half_fragments.mp4': ('fragments.mp4', 0, 0.6),
    'half.mkv': ('h264.mkv', 0, 0.5),
    'most.mkv': ('h264.mkv', 0, 0.92),
    'half.ts': ('h264.ts', 0, 0.5),
    'end.ts': ('h264.ts', 0.4, 1),
    'end_open.ts': ('open.ts', 0.2, 1),
    'end.mpg': ('mpeg2.mpg', 0.4, 1),
}
ALL = [*ENCODED, *COPIED, *PARTS]


def draw(number: int) -> np.ndarray:
    """A picture that moves and shows its number, (height, width, 3) uint8."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    planes = (2 * x + 3 * number, 2 * y + 5 * number, x + y + 7 * number)
    picture = np.stack(planes, axis=-1).astype(np.uint8)
    for bit in range(_BITS):
        picture[:24, bit * _BOX : (bit + 1) * _BOX] = 235 if number >> bit & 1 else 16
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number that a picture shows, whatever its size."""
    height, width = picture.shape[:2]
    row = picture[height // 8 : height // 4].mean(axis=(0, 2))
    places = (np.arange(_BITS) + 0.5) / _BITS * width
    return int(sum(1 << i for i, x in enumerate(places) if row[int(x)] > 128))


class NumberedVideos:
    """Makes the videos of this module, each when it is asked for.

    Args:
        folder: Where they go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._raw = b''.join(draw(i).tobytes() for i in range(NUM_FRAMES))

    def __getitem__(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            if name in PARTS:
                source, start, end = PARTS[name]
                data = self[source].read_bytes()
                path.write_bytes(data[int(start * len(data)) : int(end * len(data))])
            elif name == 'thumbnail.jpg':
                ffmpeg(['-i', self['h264.mp4'], '-frames:v', 1, path])
            elif name in COPIED:
                source, before, behind = COPIED[name]
                rest = [
                    self[word[1:-1]] if word[0] == '{' else word
                    for word in behind.split()
                ]
                ffmpeg(
                    [*before.split(), '-i', self[source], *rest, '-c:v', 'copy', path]
                )
            else:
                size = f'-f rawvideo -pix_fmt rgb24 -s {WIDTH}x{HEIGHT} -r 25 -i -'
                command = [*size.split(), '-pix_fmt', 'yuv420p', *ENCODED[name].split()]
                ffmpeg([*command, path], self._raw)
        return path


def ffmpeg(args: list, given: bytes | None = None) -> bytes:
    """Run FFmpeg; return what it writes to '-'."""
    command = [get_ffmpeg_exe(), '-loglevel', 'error', '-y', *map(str, args)]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.returncode == 0, f'{command}: {done.stderr.decode()}'
    return done.stdout
