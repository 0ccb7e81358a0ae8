using System.Globalization;
using System.Text;

namespace Polymath.Text.Templates;

/// <summary>Cuts a template into tokens. White space beside <c>-</c> marks goes here.</summary>
internal sealed class Lexer
{
    private static readonly string[] Marks =
    [
        "(", ")", "{", "}", "[", "]", ",", ".", ":", "|", "<=", ">=", "==", "!=", "<", ">", "+", "-", "~", "**", "*", "//", "/", "%", "=",
    ];

    private readonly string _source;
    private readonly SourceText _map;
    private readonly string _text;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _curly; // open braces of map literals: "}}" closes those first

    private Lexer(string source)
    {
        _source = source;
        _map = new SourceText(source);
        _text = _map.Text;
    }

    /// <summary>All tokens, the last of which is <see cref="TokenKind.End"/>.</summary>
    /// <exception cref="TemplateException">A character, number, string or comment that is none.</exception>
    public static List<Token> Read(string source)
    {
        var lexer = new Lexer(source);
        lexer.Run();
        lexer.Add(TokenKind.End, "the end of the template");
        return lexer._tokens;
    }

    private void Run()
    {
        while (_at < _text.Length)
        {
            if (IsOutside())
            {
                int start = _at;
                while (_at < _text.Length && !(_text[_at] == '{' && Next(1) is '%' or '{' or '#'))
                    _at++;
                if (_at > start)
                {
                    _tokens.Add(new Token(TokenKind.Text, _text[start.._at], _map.PlaceOf(start)));
                    continue;
                }
            }

            if (Next(0) == '{' && Next(1) == '#')
                Comment();
            else if (!Open())
                Inside();
        }

        if (!IsOutside())
            throw Bad("a tag that is not closed");
    }

    private bool IsOutside() => _tokens.Count == 0
        || _tokens[^1].Kind is TokenKind.CloseStatement or TokenKind.CloseExpression or TokenKind.Comment or TokenKind.Text;

    private char Next(int ahead) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private bool Ahead(string expected) => _text.AsSpan(_at).StartsWith(expected);

    private void Comment()
    {
        int open = _at;
        bool strip = Next(2) == '-';
        int start = _at + (strip ? 3 : 2), end = start > _text.Length ? -1 : _text.IndexOf("#}", start, StringComparison.Ordinal);
        if (end < 0)
            throw Bad("a comment that is not closed");
        if (strip)
            StripBefore();
        _tokens.Add(new Token(TokenKind.Comment, "", _map.PlaceOf(open)));
        _at = end + 2;
        if (end > start && _text[end - 1] == '-')
            SkipSpace();
    }

    private bool Open()
    {
        bool statement = Ahead("{%");
        if (!statement && (!Ahead("{{") || !IsOutside()))
            return false;
        bool strip = Next(2) == '-', keep = statement && Next(2) == '+';
        if (strip)
            StripBefore();
        if (statement && Raw(strip || keep ? 3 : 2))
            return true;
        Add(statement ? TokenKind.OpenStatement : TokenKind.OpenExpression, statement ? "{%" : "{{");
        _at += strip || keep ? 3 : 2;
        _curly = 0;
        return true;
    }

    /// <summary>Text between <c>raw</c> and <c>endraw</c> stands as it is.</summary>
    private bool Raw(int offset)
    {
        int at = _at + offset;
        if (!Tag(ref at, "raw", out bool stripAfter))
            return false;
        int start = at;
        for (int end = _text.IndexOf("{%", start, StringComparison.Ordinal); end >= 0; end = _text.IndexOf("{%", end + 2, StringComparison.Ordinal))
        {
            int after = end + 2;
            bool stripBefore = after < _text.Length && _text[after] == '-';
            after += stripBefore ? 1 : 0;
            if (!Tag(ref after, "endraw", out bool stripLast))
                continue;
            string inner = _text[start..end];
            inner = stripAfter ? TextRules.TrimStart(inner) : inner;
            _tokens.Add(new Token(TokenKind.Text, stripBefore ? TextRules.TrimEnd(inner) : inner, _map.PlaceOf(start)));
            _at = after;
            Add(TokenKind.Comment, "");
            if (stripLast)
                SkipSpace();
            return true;
        }

        throw Bad("raw that is not closed");
    }

    private bool Tag(ref int at, string name, out bool strip)
    {
        strip = false;
        while (at < _text.Length && TextRules.IsSpace(_text[at]))
            at++;
        if (!_text.AsSpan(Math.Min(at, _text.Length)).StartsWith(name))
            return false;
        at += name.Length;
        while (at < _text.Length && TextRules.IsSpace(_text[at]))
            at++;
        strip = at < _text.Length && _text[at] == '-';
        at += strip ? 1 : 0;
        if (!_text.AsSpan(at).StartsWith("%}"))
            return false;
        at += 2;
        return true;
    }

    private void Inside()
    {
        SkipSpace();
        if (_at >= _text.Length)
            throw Bad("a tag that is not closed");
        if (Close("-%}", TokenKind.CloseStatement, true) || Close("-}}", TokenKind.CloseExpression, true)
            || Close("+%}", TokenKind.CloseStatement, false) || Close("%}", TokenKind.CloseStatement, false)
            || (_curly <= 0 && Close("}}", TokenKind.CloseExpression, false)))
        {
            return;
        }

        char c = _text[_at];
        if (c is '\'' or '"')
            String(c);
        else if (char.IsAsciiDigit(c))
            Number();
        else if (TextRules.IsWord(c))
            Name();
        else
            Mark(c);
    }

    private bool Close(string mark, TokenKind kind, bool strip)
    {
        if (!Ahead(mark))
            return false;
        Add(kind, mark);
        _at += mark.Length;
        if (strip)
            SkipSpace();
        return true;
    }

    private void Mark(char c)
    {
        foreach (string mark in Marks)
        {
            if (!Ahead(mark))
                continue;
            Add(TokenKind.Mark, mark);
            _at += mark.Length;
            _curly += mark == "{" ? 1 : mark == "}" ? -1 : 0;
            return;
        }

        throw Bad(string.Create(CultureInfo.InvariantCulture, $"unexpected character '{c}'"));
    }

    private void Number()
    {
        int start = _at;
        bool afterDot = _tokens[^1] is { Kind: TokenKind.Mark, Text: "." };
        string digits = Take(char.IsAsciiDigit);
        if (!afterDot && Next(0) == '.' && char.IsAsciiDigit(Next(1)))
        {
            _at++;
            digits += "." + Take(char.IsAsciiDigit);
        }

        _tokens.Add(new Token(TokenKind.Number, digits, _map.PlaceOf(start)));
    }

    private void String(char quote)
    {
        int start = _at++;
        var text = new StringBuilder();
        while (true)
        {
            int run = _text.AsSpan(_at).IndexOfAny(quote, '\\');
            if (run < 0)
                throw Bad("a string that is not closed");
            text.Append(_text, _at, run);
            _at += run;
            if (_text[_at++] == quote)
                break;
            text.Append(Escape());
        }

        _tokens.Add(new Token(TokenKind.String, text.ToString(), _map.PlaceOf(start)));
    }

    private char Escape()
    {
        char c = Next(0);
        _at++;
        if (c is 'x' or 'u')
        {
            int length = c == 'x' ? 2 : 4;
            ReadOnlySpan<char> hex = _at + length <= _text.Length ? _text.AsSpan(_at, length) : default;
            if (!ushort.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code))
                throw Bad("an escape that is no hexadecimal number");
            _at += length;
            return (char)code;
        }

        return c switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\b',
            'f' => '\f',
            'v' => '\v',
            '\'' or '"' or '\\' => c,
            _ => throw Bad("an unknown escape in a string"),
        };
    }

    private void Name()
    {
        int start = _at;
        string name = Take(TextRules.IsWord);
        _tokens.Add(new Token(TokenKind.Name, name, _map.PlaceOf(start)));
    }

    private string Take(Func<char, bool> belongs)
    {
        int start = _at;
        while (_at < _text.Length && belongs(_text[_at]))
            _at++;
        return _text[start.._at];
    }

    private void StripBefore()
    {
        if (_tokens.Count == 0 || _tokens[^1].Kind != TokenKind.Text)
            return;
        string stripped = TextRules.TrimEnd(_tokens[^1].Text);
        if (stripped.Length == 0)
            _tokens.RemoveAt(_tokens.Count - 1);
        else
            _tokens[^1] = _tokens[^1] with { Text = stripped };
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && TextRules.IsSpace(_text[_at]))
            _at++;
    }

    private void Add(TokenKind kind, string text) => _tokens.Add(new Token(kind, text, _map.PlaceOf(_at)));

    private TemplateException Bad(string message) => new(message, _source, _map.PlaceOf(Math.Min(_at, _text.Length)));
}
