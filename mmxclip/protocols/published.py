"""Published top-1 accuracies, to print beside ours.

All with ViT-B/16 from CLIP unless the method says otherwise. Protocols and label
texts differ between papers (splits or the full set, 8 to 32 frames, class names with
words joined or split), so each row keeps its note and its source.
"""

from dataclasses import dataclass

# Columns of a table: few-shot K, the mean over zero-shot splits, base / novel / HM.
FEW_SHOT = ('K=2', 'K=4', 'K=8', 'K=16')
BASE_TO_NOVEL = ('base', 'novel', 'HM')
ZERO_SHOT = ('top-1',)
FULLY_SUPERVISED = ('top-1', 'top-5')


@dataclass(frozen=True)
class PublishedRow:
    """One method's numbers on one data set.

    Args:
        method: Its name.
        values: Column -> percent as printed, with a deviation where one is given;
            columns that the source does not give are absent.
        source: Where the numbers were read.
        note: How the number was obtained, where it differs from ours.
    """

    method: str
    values: dict[str, str]
    source: str
    note: str = ''


_VIFI, _FROSTER = 'ViFi-CLIP README', 'FROSTER README'
_VIDEOX, _TC = 'VideoX X-CLIP README', 'TC-CLIP README'
_OST, _EZ = 'OST README', 'EZ-CLIP README'

# method, source, note, then the numbers in the order of the data sets.
_FEW_SHOT = [
    ('X-CLIP', _VIDEOX, '32 frames', '53.0 57.3 62.8 64.0', '76.4 83.4 88.3 91.4', ''),
    (
        'ViFi-CLIP',
        _VIFI,
        '32 frames',
        '57.2 62.7 64.5 66.8',
        '80.7 85.1 90.0 92.7',
        '6.2 7.4 8.5 12.4',
    ),
    (
        'OST',
        _OST,
        '',
        '59.1 62.9 64.9 68.2',
        '82.5 87.5 91.7 93.9',
        '7.0 7.7 8.9 12.2',
    ),
    (
        'TC-CLIP',
        _TC,
        '',
        '57.3 62.3 67.3 68.6',
        '85.9 89.9 92.5 94.6',
        '7.3 8.6 9.3 14.0',
    ),
    (
        'TC-CLIP',
        _TC,
        'trained on Kinetics-400 first',
        '65.3 68.5 71.4 73.0',
        '94.1 95.6 96.6 97.3',
        '8.7 10.1 12.1 15.2',
    ),
]
_ZERO_SHOT = [
    ('frozen CLIP', _FROSTER, '', '47.9±0.5', '73.8±0.6', '68.1±1.1'),
    ('ActionCLIP', _FROSTER, 're-run by FROSTER', '48.2±1.5', '77.5±0.8', '62.5±1.2'),
    ('X-CLIP', _FROSTER, '32 frames', '44.6±5.2', '72.0±2.3', '65.2±0.4'),
    ('ViFi-CLIP', _VIFI, '32 frames', '51.3±0.6', '76.8±0.7', '71.2±1.0'),
    ('EZ-CLIP', _EZ, '8 frames', '52.9', '79.1', '70.1'),
    (
        'Open-VCLIP',
        _FROSTER,
        'UCF names with words split, template ensemble',
        '53.9±1.2',
        '83.4±1.2',
        '73.0±0.8',
    ),
    (
        'FROSTER',
        _FROSTER,
        'UCF names with words split, template ensemble',
        '54.8±1.3',
        '84.8±1.1',
        '74.8±0.9',
    ),
    ('TC-CLIP', _TC, '', '54.2±0.7', '82.9±0.6', '75.8±0.5'),
    ('OST', _OST, 'texts by a language model', '55.9', '79.7', '75.1'),
]
_BASE_TO_NOVEL = [
    (
        'X-CLIP',
        f'{_FROSTER}, table 1',
        '3 seeds',
        '74.1 56.4 64.0',
        '69.4 45.5 55.0',
        '89.9 58.9 71.2',
        '8.5 6.6 7.4',
    ),
    ('frozen CLIP', f'{_FROSTER}, table 1', '', '57.5', '49.8', '70.3', '5.1'),
    ('ActionCLIP', f'{_FROSTER}, table 1', '', '52.6', '48.5', '70.7', '11.5'),
    ('ViFi-CLIP', f'{_FROSTER}, table 1', '', '67.9', '61.9', '78.3', '13.9'),
    ('Open-VCLIP', f'{_FROSTER}, table 1', '', '68.9', '58.7', '85.3', '13.0'),
    ('FROSTER', f'{_FROSTER}, table 1', '', '70.4', '65.1', '87.0', '14.6'),
    ('EZ-CLIP', _EZ, '', '66.3', '66.3', '85.4', '14.8'),
    ('TC-CLIP', _TC, '', '70.4', '62.2', '85.9', '15.2'),
]
_FULLY_SUPERVISED = [
    ('X-CLIP-B/32', _VIDEOX, '8 frames, 4x3 views', '80.4 95.0', ''),
    ('X-CLIP-B/32', _VIDEOX, '16 frames, 4x3 views', '81.1 95.5', ''),
    ('X-CLIP-B/16', _VIDEOX, '8 frames, 4x3 views', '83.8 95.7', '85.3 97.1'),
    ('X-CLIP-B/16', _VIDEOX, '16 frames, 4x3 views', '84.7 96.8', '85.8 97.3'),
    ('X-CLIP-L/14', _VIDEOX, '8 frames, 4x3 views', '87.1 97.6', '88.3 97.7'),
    ('X-CLIP-L/14@336', _VIDEOX, '16 frames, 4x3 views', '87.7 97.4', ''),
    ('ViFi-CLIP-B/16', _VIFI, '16 frames', '83.9', ''),
    ('TC-CLIP-B/16', _TC, '', '85.2', ''),
]
_TABLES: dict[str, tuple[list, tuple[str, ...], tuple[str, ...]]] = {
    'few-shot': (_FEW_SHOT, FEW_SHOT, ('hmdb51', 'ucf101', 'ssv2')),
    'zero-shot': (_ZERO_SHOT, ZERO_SHOT, ('hmdb51', 'ucf101', 'kinetics600')),
    'base-to-novel': (
        _BASE_TO_NOVEL,
        BASE_TO_NOVEL,
        ('kinetics400', 'hmdb51', 'ucf101', 'ssv2'),
    ),
    'fully-supervised': (
        _FULLY_SUPERVISED,
        FULLY_SUPERVISED,
        ('kinetics400', 'kinetics600'),
    ),
}


def published_rows(protocol: str, dataset: str) -> list[PublishedRow]:
    """Rows of all methods that report a data set under a protocol.

    Args:
        protocol: ``few-shot``, ``zero-shot``, ``base-to-novel`` or
            ``fully-supervised``.
        dataset: Any name; one that no paper reports gives no rows.

    Raises:
        ValueError: An unknown protocol.
    """
    if protocol not in _TABLES:
        raise ValueError(f'protocol {protocol!r} is unknown; choose from {[*_TABLES]}')
    table, columns, datasets = _TABLES[protocol]
    if dataset not in datasets:
        return []
    place = 3 + datasets.index(dataset)
    return [
        PublishedRow(row[0], _columns(row[place].split(), columns), row[1], row[2])
        for row in table
        if row[place]
    ]


def _columns(numbers: list[str], columns: tuple[str, ...]) -> dict[str, str]:
    """Name the numbers; the single one of a base-to-novel row is its HM."""
    if len(numbers) == 1 and columns == BASE_TO_NOVEL:
        return dict(HM=numbers[0])
    return dict(zip(columns, numbers, strict=False))
