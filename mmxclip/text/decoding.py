"""Bytes of a text file as text."""


def decode_text(data: bytes, where: str) -> str:
    """Return a file's text, without a byte order mark.

    Args:
        data: Content of the file.
        where: Its name, for the message.

    Raises:
        ValueError: It is not UTF-8.
    """
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{where} is not UTF-8 text; save it as UTF-8') from error
