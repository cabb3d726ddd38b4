"""Nobody is served an archive copy as the act: whatever is asked, with whatever is known of it."""

from uuid import uuid4

from permits.domain.sealing import SealLevel
from permits.register.archive import Archive
from tests.fakes import FakeOffice
from tests.web.conftest import Api
from tests.web.test_door import routes

MARK = b" and a stamp over all of it"


def copy_of_the_only_file(office: FakeOffice) -> str:
    register = office.register
    archive = Archive(register.engine, register.authority, register.floor)
    (delivered,) = archive.due(office.clock(), 10)
    content = archive.content(delivered.sha256) + MARK
    return archive.keep(delivered, content, SealLevel.B_LTA, None, office.clock())


def test_no_route_returns_an_archive_copy(api: Api) -> None:
    permit = api.post().json()["permit"]
    delivered = api.get(f"/v1/permits/{permit['number']}/document").content
    sha256 = copy_of_the_only_file(api.office)
    assert api.office.register.find_file(sha256) is not None
    code = permit["verification_url"].rsplit("/", 1)[1]
    answers = []
    for path, route in routes():
        if "GET" not in (route.methods or ()):
            continue
        for known in (sha256, permit["number"], code, str(uuid4())):
            asked = path
            for name in route.param_convertors:
                asked = asked.replace("{" + name + "}", known)
            answers.append(api.get(asked).content)

    assert not any(MARK in answer or sha256.encode() in answer for answer in answers)
    assert delivered in answers, "the same search finds what is delivered"
    assert len(answers) > 40
